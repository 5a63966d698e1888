"""Who may call: the whole matrix, byte for byte over real sockets."""

import itertools
import json
import socket
from collections.abc import Callable
from typing import NamedTuple

import httpx
import pytest

from loom.api.guard import Guard
from loom.api.hosts import AllowedHosts
from loom.api.sessions import Sessions

ORIGINS = {
    "none": None,
    "own": "http://{host}",
    "other": "http://evil.example",
    "other port": "http://127.0.0.1:1",
    "other scheme": "https://{host}",
    "null": "null",
    "malformed port": "http://127.0.0.1:80x",
    "upper case": "HTTP://{HOST}",
    "trailing dot": "http://localhost.:{port}",
    "two": "http://{host}, http://{host}",
    "empty": "",
    "with a path": "http://{host}/page",
}
HOSTS = {
    "own": "127.0.0.1:{port}",
    "name": "LocalHost:{port}",
    "ipv6": "[::1]:{port}",
    "trailing dot": "localhost.:{port}",
    "other": "evil.example:{port}",
    "missing": None,
    "malformed": "127.0.0.1:80x",
    "with a user": "me@127.0.0.1:{port}",
}
TOKENS = {
    "none": ("", None),
    "wrong": ("", "Bearer close sesame"),
    "right": ("", "Bearer open sesame"),
    "in query": ("?token=open+sesame", "Bearer open sesame"),
    "in query by another name": ("?x=open%20sesame", None),
    "as user": ("", "Basic b3BlbiBzZXNhbWU6"),
    "empty": ("", "Bearer "),
}
HOW = ("GET", "POST", "upgrade", "open", "open POST", "unknown")


class Cell(NamedTuple):
    how: str
    host: str
    origin: str
    token: str


class Rule(NamedTuple):
    """The status, and the code of the problem, for the cells to which no rule before applies."""

    sentence: str
    applies: Callable[[Cell], bool]
    answer: tuple[int, str | None]


RULES = (
    Rule("an upgrade is HTTP/1.1, which has a Host (uvicorn's own answer)",
         lambda c: c.how == "upgrade" and c.host == "missing", (400, None)),
    Rule("Host is checked on every request and every upgrade, the open ones too",
         lambda c: c.host in ("other", "missing", "malformed", "with a user"), (421, "FORBIDDEN_HOST")),
    Rule("so is Origin; `null` is refused, and whatever is not the very address that is called",
         lambda c: c.origin in ("other", "other port", "other scheme", "null", "malformed port", "with a path", "two",
                                "empty"), (403, "FORBIDDEN_ORIGIN")),
    Rule("names of hosts are the same with a dot at their end, but another name of this host is another origin",
         lambda c: c.origin == "trailing dot" and c.host not in ("name", "trailing dot"), (403, "FORBIDDEN_ORIGIN")),
    Rule("tokens in query strings are refused, whatever they are called and whoever else was let in",
         lambda c: c.token.startswith("in query"), (400, "TOKEN_IN_QUERY")),
    Rule("/healthz may be read without a token", lambda c: c.how == "open", (200, None)),
    Rule("a missing Origin only with a token, and all the rest too",
         lambda c: c.token != "right", (401, "UNAUTHORIZED")),
    Rule("who was let in reads", lambda c: c.how == "GET", (200, None)),
    Rule("and posts", lambda c: c.how == "POST", (200, None)),
    Rule("and listens", lambda c: c.how == "upgrade", (101, None)),
    Rule("and is told what the address does not offer", lambda c: c.how == "open POST", (405, "METHOD_NOT_ALLOWED")),
    Rule("or that there is nothing", lambda c: c.how == "unknown", (404, "NOT_FOUND")),
)  # fmt: skip


def request(port, cell):
    how = cell.how
    query, authorization = TOKENS[cell.token]
    host = None if HOSTS[cell.host] is None else HOSTS[cell.host].format(port=port)
    path = {"upgrade": "/api/v1/pipelines/events/ws", "POST": "/api/v1/pipelines/compile"}.get(how, "/api/v1/runs")
    path = "/healthz" if how.startswith("open") else "/api/v1/nothing" if how == "unknown" else path
    method = "POST" if how.endswith("POST") or how == "unknown" else "GET"
    # HTTP/1.0 may leave the Host out
    lines = [f"{method} {path}{query} HTTP/{'1.0' if host is None and how != 'upgrade' else '1.1'}"]
    if host is not None:
        lines.append(f"Host: {host}")
    if (origin := ORIGINS[cell.origin]) is not None:
        own = host or "127.0.0.1"
        lines.append(f"Origin: {origin.format(host=own, HOST=own.upper(), port=port)}")
    if authorization is not None:
        lines.append(f"Authorization: {authorization}")
    if how == "upgrade":
        lines += ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]  # fmt: skip
    else:
        lines.append("Connection: close")
    body = "{}" if method == "POST" else ""
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode()


def status_and_code(port, sent):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(sent)
        head = b""
        while b"\r\n\r\n" not in head:
            piece = sock.recv(65536)
            if not piece:
                break
            head += piece
        status = int(head.split(b" ", 2)[1])
        if status == 101:
            return status, None
        while piece := sock.recv(65536):
            head += piece
    body = head.partition(b"\r\n\r\n")[2]
    return status, json.loads(body).get("code") if body.startswith(b"{") else None


@pytest.mark.parametrize("how", HOW)
def test_the_matrix(server, how):
    wrong, used = [], set()
    for cell in itertools.starmap(Cell, itertools.product([how], HOSTS, ORIGINS, TOKENS)):
        rule = next(rule for rule in RULES if rule.applies(cell))
        used.add(rule)
        got = status_and_code(server.port, request(server.port, cell))
        if got != rule.answer:
            wrong.append((cell, got, rule.sentence))
    assert wrong == []
    assert {rule.answer[0] for rule in used} >= {421, 403, 400}


@pytest.mark.parametrize("path", ["/page", "/metrics", "/api/v1/workers", "/nope", "/healthz/"])
def test_every_other_path_needs_the_token(server, path):
    sent = f"GET {path} HTTP/1.1\r\nHost: localhost:{server.port}\r\nConnection: close\r\n\r\n".encode()
    assert status_and_code(server.port, sent) == (401, "UNAUTHORIZED")


def test_two_of_a_header_are_refused(server):
    for twice, code in (("Host: localhost", 400), ("Origin: http://localhost", 403), ("Authorization: Bearer x", 401)):
        head = f"GET /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer open sesame\r\n{twice}\r\n"
        second = "Origin: http://localhost\r\n" if twice.startswith("Origin") else ""
        sent = (head + second + "Connection: close\r\n\r\n").encode()
        assert status_and_code(server.port, sent)[0] == code, twice


def test_a_refusal_is_a_problem_and_names_the_way_in(http):
    answer = http.get("/runs", headers={"Authorization": ""})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["retryable"] is False


def test_answers_are_not_guessed_at(http):
    assert http.get("/runs").headers["x-content-type-options"] == "nosniff"


def test_a_guard_without_a_token_is_not_made():
    with pytest.raises(ValueError, match="token"):
        Guard(lambda *_: None, token="", allowed_hosts=AllowedHosts(["localhost"]), sessions=Sessions())


@pytest.mark.parametrize(
    "more",
    [[("x", "y")] * 10_000, [("x", "y")] * 101, [("x", "y" * 40_000)], [("cookie", "x=" + "y" * 33_000)]],
    ids=["10,000", "101", "long", "cookie"],
)
@pytest.mark.parametrize("path", ["/healthz", "/api/v1/runs"])
def test_more_headers_than_anybody_sends_are_refused(server, token, path, more):
    with httpx.Client(base_url=server.url, trust_env=False) as http:
        refused = http.get(path, headers=[("authorization", f"Bearer {token}"), *more])
    assert (refused.status_code, refused.json()["code"]) == (431, "HEADERS_TOO_LARGE")


def test_as_many_headers_as_a_browser_behind_proxies_sends_are_taken(http):
    more = [(f"x-{number}", "y" * 200) for number in range(80)]
    assert http.get("/runs", headers=more).status_code == 200
