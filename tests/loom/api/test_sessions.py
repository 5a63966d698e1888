"""Browsers: signed in once by a code, known by a cookie, believed only where the request comes from this very page."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from loom.api.server import RunningServer
from loom.api.sessions import CODE_LIVES_S, MOST_CODES, MOST_SESSIONS, SESSION_LIVES_S, Sessions, cookie_name, cookie_of
from loom.errors import LoomError

Serving = Callable[..., RunningServer]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> Sessions:
    return Sessions(now=clock)


@pytest.fixture
def served(serving: Serving, sessions: Sessions) -> RunningServer:
    return serving(signed_in=sessions)


def sign_in(server: RunningServer, code: str, **headers: str) -> httpx.Response:
    sent = {"Origin": server.url, **headers}
    return httpx.post(f"{server.url}/api/v1/session", json={"code": code}, headers=sent, trust_env=False)


def refused(sessions: Sessions, code: str) -> bool:
    try:
        sessions.redeem(code)
    except LoomError as error:
        return error.code == "UNAUTHORIZED"
    return False


def test_a_code_works_once_and_for_ten_minutes(sessions: Sessions, clock: Clock) -> None:
    first, second = sessions.new_code(), sessions.new_code()
    assert sessions.knows(sessions.redeem(first))
    assert refused(sessions, first)
    clock.now += CODE_LIVES_S
    assert refused(sessions, second)
    assert refused(sessions, "")


def test_a_session_ends_with_its_time_and_by_itself(sessions: Sessions, clock: Clock) -> None:
    secret, other = sessions.open(), sessions.open()
    sessions.close(other)
    assert (sessions.knows(secret), sessions.knows(other), sessions.knows("")) == (True, False, False)
    clock.now += SESSION_LIVES_S
    assert not sessions.knows(secret)


def test_there_are_never_more_than_a_few(sessions: Sessions) -> None:
    codes = [sessions.new_code() for _ in range(MOST_CODES + 1)]
    assert refused(sessions, codes[0])
    secrets = [sessions.open() for _ in range(MOST_SESSIONS + 1)]
    assert [sessions.knows(secret) for secret in (secrets[0], secrets[1], secrets[-1])] == [False, True, True]


def test_sessions_survive_a_restart_as_hashes_for_this_user_alone(tmp_path: Path, clock: Clock) -> None:
    kept = tmp_path / "sessions"
    before = Sessions(kept, clock)
    secret, ended = before.open(), before.open()
    before.close(ended)
    assert secret not in kept.read_text()
    assert os.stat(kept).st_mode & 0o777 == 0o600
    after = Sessions(kept, clock)
    assert (after.knows(secret), after.knows(ended)) == (True, False)
    kept.write_text("not what was written")
    assert not Sessions(kept, clock).knows(secret)


def test_a_disk_without_room_does_not_keep_anyone_out(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "is not there" / "sessions")
    assert sessions.knows(sessions.open())


def test_the_cookie_is_opaque_and_for_this_server_alone(served: RunningServer, sessions: Sessions) -> None:
    answer = sign_in(served, sessions.new_code())
    assert (answer.status_code, answer.headers["cache-control"]) == (204, "no-store")
    value, *flags = answer.headers["set-cookie"].split("; ")
    name, _, secret = value.partition("=")
    assert name == f"loom_session_{served.port}"
    assert set(flags) == {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={SESSION_LIVES_S}"}
    assert sessions.knows(secret)


def test_signing_in_takes_this_origin_and_a_code_that_is_good(served: RunningServer, sessions: Sessions) -> None:
    code = sessions.new_code()
    address = f"{served.url}/api/v1/session"
    assert httpx.post(address, json={"code": code}, trust_env=False).status_code == 403
    assert sign_in(served, code, Origin="http://evil.example").status_code == 403
    assert sign_in(served, "guessed").status_code == 401
    assert sign_in(served, code).status_code == 204
    again = sign_in(served, code)
    assert (again.status_code, again.json()["code"]) == (401, "UNAUTHORIZED")
    assert code not in again.text


def test_the_token_signs_in_as_well(served: RunningServer, token: str) -> None:
    assert sign_in(served, token).status_code == 204


def test_signing_out_ends_the_session(served: RunningServer, sessions: Sessions) -> None:
    secret = sessions.open()
    with httpx.Client(base_url=served.url, cookies={f"loom_session_{served.port}": secret}, trust_env=False) as browser:
        assert browser.get("/api/v1/runs").status_code == 200
        answer = browser.delete("/api/v1/session", headers={"Origin": served.url})
        assert (answer.status_code, "Max-Age=0" in answer.headers["set-cookie"]) == (204, True)
    assert not sessions.knows(secret)


ORIGINS = {"none": None, "own": "{url}", "null": "null", "other": "http://evil.example", "port": "http://127.0.0.1:1"}
COOKIES = ("good", "wrong", "of another port", "twice", "none")


def _cookie(kind: str, port: int, secret: str) -> str | None:
    name = f"loom_session_{port}"
    return {
        "good": f"theme=dark; {name}={secret}",
        "wrong": f"{name}=guessed",
        "of another port": f"loom_session_1={secret}",
        "twice": f"{name}={secret}; {name}={secret}",
        "none": None,
    }[kind]


def _expected(method: str, origin: str, cookie: str) -> set[int]:
    if origin in ("null", "other", "port"):
        return {403}
    if cookie != "good":
        return {401}
    return {403} if method != "GET" and origin == "none" else {200}


def test_the_matrix_of_cookies(served: RunningServer, sessions: Sessions) -> None:
    secret, wrong = sessions.open(), []
    for method, origin, cookie in itertools.product(("GET", "POST"), ORIGINS, COOKIES):
        headers = {"Origin": ORIGINS[origin], "Cookie": _cookie(cookie, served.port, secret)}
        sent = {name: value.format(url=served.url) for name, value in headers.items() if value is not None}
        path = "/api/v1/runs" if method == "GET" else "/api/v1/pipelines/compile"
        content = None if method == "GET" else b"{}"
        status = httpx.request(method, served.url + path, headers=sent, content=content, trust_env=False).status_code
        if status not in _expected(method, origin, cookie):
            wrong.append((method, origin, cookie, status))
    assert wrong == []


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_page_has_a_browser_ask_for_is_refused(
    served: RunningServer, sessions: Sessions, site: str
) -> None:
    cookies = {f"loom_session_{served.port}": sessions.open()}
    address = f"{served.url}/api/v1/runs"
    said = httpx.get(address, cookies=cookies, headers={"Sec-Fetch-Site": site}, trust_env=False)
    assert (said.status_code, said.json()["code"]) == (403, "FORBIDDEN_ORIGIN")
    own = httpx.get(address, cookies=cookies, headers={"Sec-Fetch-Site": "same-origin"}, trust_env=False)
    assert own.status_code == 200


def test_a_wrong_token_is_not_made_good_by_a_cookie(served: RunningServer, sessions: Sessions) -> None:
    cookies = {f"loom_session_{served.port}": sessions.open()}
    headers = {"Authorization": "Bearer guessed"}
    assert httpx.get(f"{served.url}/api/v1/runs", cookies=cookies, headers=headers, trust_env=False).status_code == 401


def _upgrade(server: RunningServer, secret: str, **options: Any) -> ClientConnection:
    return connect(
        f"ws://{server.address}/api/v1/pipelines/events/ws",
        additional_headers={"Cookie": f"loom_session_{server.port}={secret}"},
        proxy=None,
        **options,
    )


def test_an_upgrade_takes_the_cookie_with_this_origin_alone(served: RunningServer, sessions: Sessions) -> None:
    secret = sessions.open()
    with _upgrade(served, secret, origin=served.url) as socket:
        assert json.loads(socket.recv())["type"] == "hello"
    for origin, status in ((None, 403), ("http://127.0.0.1:1", 403), ("http://evil.example", 403)):
        with pytest.raises(InvalidStatus) as refusal:
            _upgrade(served, secret, origin=origin)
        assert refusal.value.response.status_code == status
    with pytest.raises(InvalidStatus) as refusal:
        _upgrade(served, "guessed", origin=served.url)
    assert refusal.value.response.status_code == 401


def test_cookies_are_read_strictly() -> None:
    assert cookie_name("localhost:8092") == "loom_session_8092"
    assert cookie_name("[::1]:1234") == "loom_session_1234"
    assert (cookie_name("loom.example"), cookie_name("loom.example", "https")) == (
        "loom_session_80",
        "loom_session_443",
    )
    assert cookie_of("a=1; b=2", "b") == "2"
    assert cookie_of("a=1; ab=2", "b") is None
    assert cookie_of("", "b") is None
