"""How a person gets in: the printed link, once; the token; and out again."""

from __future__ import annotations

import httpx
from browser import Browser
from programs import Server


def test_the_printed_link_signs_in_once_and_leaves_no_trace(visitor: Browser, server: Server) -> None:
    visitor.open(server.link)
    visitor.one("h1", "Now")
    assert visitor.path == "/"
    assert "code=" not in visitor.run("return location.href + JSON.stringify(history.state)")
    (cookie,) = visitor.driver.get_cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (f"loom_session_{server.port}", True, "Strict")
    visitor.driver.refresh()
    visitor.one("h1", "Now")
    assert visitor.complaints() == []
    visitor.driver.delete_all_cookies()
    visitor.open("/runs")
    visitor.open(server.link)
    assert "used before" in visitor.one("[role=alert]").text


def test_without_a_session_nothing_is_shown(visitor: Browser) -> None:
    visitor.open("/library")
    visitor.one("h1", "Sign in to Loom")
    assert visitor.all("nav a:not([href])") == []
    assert "astronaut" not in visitor.text()


def test_a_wrong_code_is_told_and_the_token_is_taken(visitor: Browser, server: Server) -> None:
    visitor.open("/failures")
    visitor.one("input[name=code]").send_keys("guessed")
    visitor.press("Sign in")
    assert "used before" in visitor.one("[role=alert]:not([hidden])").text
    visitor.one("input[name=code]").clear()
    visitor.one("input[name=code]").send_keys(server.token)
    visitor.press("Sign in")
    visitor.one("h1", "Failures")
    assert visitor.path == "/failures"


def test_signing_out_ends_the_session(visitor: Browser, server: Server) -> None:
    visitor.open(f"/runs#code={server.token}")
    visitor.one("h1", "Runs")
    (cookie,) = visitor.driver.get_cookies()
    visitor.press("Sign out", within="header")
    visitor.one("h1", "Sign in to Loom")
    answer = httpx.get(f"{server.url}/api/v1/runs", cookies={cookie["name"]: cookie["value"]}, trust_env=False)
    assert answer.status_code == 401
