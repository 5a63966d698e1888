"""Who may call: the whole matrix, byte for byte over real sockets."""

import itertools
import json
import socket

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
    "with a path": "http://{host}/page",
}
FINE_ORIGINS = {"none", "own", "upper case"}
HOSTS = {
    "own": "127.0.0.1:{port}",
    "name": "LocalHost:{port}",
    "ipv6": "[::1]:{port}",
    "other": "evil.example:{port}",
    "missing": None,
    "malformed": "127.0.0.1:80x",
}
FINE_HOSTS = {"own", "name", "ipv6"}
TOKENS = {
    "none": ("", None),
    "wrong": ("", "Bearer close sesame"),
    "right": ("", "Bearer open sesame"),
    "in query": ("?token=open+sesame", "Bearer open sesame"),
    "in query by another name": ("?x=open%20sesame", None),
    "as user": ("", "Basic b3BlbiBzZXNhbWU6"),
    "empty": ("", "Bearer "),
}
HOW = ("GET", "POST", "upgrade", "open", "open POST")


def request(port, how, host, origin, token):
    query, authorization = TOKENS[token]
    host = None if HOSTS[host] is None else HOSTS[host].format(port=port)
    path = {"upgrade": "/api/v1/pipelines/events/ws", "POST": "/api/v1/pipelines/compile"}.get(how, "/api/v1/runs")
    path = "/healthz" if how.startswith("open") else path
    method = "POST" if how.endswith("POST") else "GET"
    # HTTP/1.0 may leave the Host out
    lines = [f"{method} {path}{query} HTTP/{'1.0' if host is None and how != 'upgrade' else '1.1'}"]
    if host is not None:
        lines.append(f"Host: {host}")
    if ORIGINS[origin] is not None:
        own = host or "127.0.0.1"
        lines.append(f"Origin: {ORIGINS[origin].format(host=own, HOST=own.upper(), port=port)}")
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


def expected(how, host, origin, token):
    if host == "missing" and how == "upgrade":
        return {(400, None)}  # uvicorn's own answer
    if host not in FINE_HOSTS:
        return {(421, "FORBIDDEN_HOST")}
    if origin not in FINE_ORIGINS and not (origin == "trailing dot" and host == "name"):
        return {(403, "FORBIDDEN_ORIGIN")}
    if token.startswith("in query"):
        return {(400, "TOKEN_IN_QUERY")}
    if token != "right" and how != "open":
        return {(401, "UNAUTHORIZED")}
    return {"GET": {(200, None)}, "POST": {(200, None)}, "upgrade": {(101, None)}, "open": {(200, None)},
            "open POST": {(405, "METHOD_NOT_ALLOWED")}}[how]  # fmt: skip


@pytest.mark.parametrize("how", HOW)
def test_the_matrix(server, how):
    wrong = []
    for host, origin, token in itertools.product(HOSTS, ORIGINS, TOKENS):
        got = status_and_code(server.port, request(server.port, how, host, origin, token))
        if got not in expected(how, host, origin, token):
            wrong.append(((how, host, origin, token), got))
    assert wrong == []


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
