"""The page and its files: served to anyone who may reach this server, under a policy that lets in nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import loom
from loom.api.server import RunningServer

FOLDER = Path(loom.__file__).parent / "page"
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*") if path.name != "index.html")
VIEWS = ("/", "/runs", "/runs/6b0d4f5a", "/failures", "/library", "/assets/1", "/pipelines", "/pipelines/+new",
         "/pipelines/a/versions", "/processes", "/operators", "/operators/hash.sha256", "/system",
         "/system/")  # fmt: skip
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@pytest.fixture
def browser(server: RunningServer) -> Iterator[httpx.Client]:
    """Without a token."""
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
        yield client


@pytest.mark.parametrize("path", VIEWS)
def test_every_view_has_the_same_page(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.text == (FOLDER / "index.html").read_text()
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/run", "/runs2", "/api/v1/nope", "/page", "/pagex/main.js", "/.git/config"])
def test_other_addresses_are_no_views(browser: httpx.Client, path: str, token: str) -> None:
    assert browser.get(path).status_code == 401
    assert browser.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_is_at_an_unknown_address_whatever_is_asked(browser: httpx.Client, method: str, token: str) -> None:
    for path, status in (("/nope", 404), ("/api", 404), ("/api/v1", 404), ("/api/v2/runs", 404), ("/runs", 405)):
        answer = browser.request(method, path, headers={"Authorization": f"Bearer {token}"})
        assert (path, answer.status_code) == (path, status)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_as_what_it_is(browser: httpx.Client, name: str) -> None:
    answer = browser.get(f"/page/{name}")
    assert answer.content == (FOLDER / name).read_bytes()
    assert answer.headers["content-type"].partition(";")[0] == TYPES[Path(name).suffix]
    assert answer.headers["x-content-type-options"] == "nosniff"
    again = browser.get(f"/page/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert browser.head(f"/page/{name}").headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize(
    "name",
    ["../model.py", "%2e%2e/model.py", "..%2fmodel.py", "views/../../model.py", "views%2f..%2fmain.js", "//etc/passwd",
     "index.html", "views", "", "main.js/", "main.js%00.css", "MAIN.JS", "a" * 5000 + ".js"],
)  # fmt: skip
def test_no_name_leads_out_of_the_folder(server: RunningServer, name: str) -> None:
    request = httpx.Request("GET", f"{server.url}/page/{name}")
    request.url = request.url.copy_with(raw_path=f"/page/{name}".encode())
    with httpx.Client(trust_env=False) as client:
        assert client.send(request).status_code in (401, 404)


def test_only_reading_is_open(browser: httpx.Client) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert browser.request(method, "/runs").status_code == 401
        assert browser.request(method, "/page/main.js").status_code == 401


def test_the_page_needs_nobody_else() -> None:
    """No address of another server, no markup from values, nothing that the policy would have to be loosened for."""
    for name in (*FILES, "index.html"):
        text = (FOLDER / name).read_text().replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?://|//cdn|@import|url\(", text) == [], name
        assert re.findall(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser", text) == []
    page = (FOLDER / "index.html").read_text()
    assert re.findall(r"<style|<script(?! type=\"module\" src=)| style=| on\w+=", page) == []


def test_every_module_that_is_imported_is_there() -> None:
    for name in FILES:
        if name.endswith(".js"):
            folder = (FOLDER / name).parent
            for target in re.findall(r'from "(\.[^"]+)"', (FOLDER / name).read_text()):
                assert (folder / target).resolve().is_file(), f"{name} imports {target}"


def test_modules_are_short() -> None:
    modules = [name for name in FILES if name.endswith(".js")]
    assert {name: lines for name in modules if (lines := len((FOLDER / name).read_text().splitlines())) > 300} == {}
