"""Who may call: checked before anything else, on every request and every WebSocket upgrade.

Host against the names that are allowed (DNS rebinding), Origin against this very address (pages of others), no tokens
in addresses (they end up in logs), then the token, or the cookie of a browser that was signed in with one. A browser
says where a request comes from: with a cookie, what changes something and every upgrade needs this very Origin, and
nothing may be asked for by a page of another origin, be it on the same host. Since everything but the open paths needs
a token or a cookie, a missing Origin without one is refused as well; to sign in takes an Origin too.
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loom.api.hosts import AllowedHosts, own_origin, parse_authority, parse_origin
from loom.api.page import is_of_page
from loom.api.problems import problem_body, problem_headers
from loom.api.sessions import Sessions, cookie_name, cookie_of
from loom.errors import LoomError

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json"})
"""What may be read without a token, as the page may: it says nothing of what Loom keeps, and a browser has no token to
send."""

SIGN_IN = "/api/v1/session"

MOST_HEADERS = 100
MOST_HEADER_BYTES = 32 * 1024
"""Of all of them together: browsers and proxies send a tenth of that."""

_TOKEN_FIELDS = frozenset({"token", "access_token", "auth_token", "api_key", "apikey", "authorization", "bearer"})
_SAFE = ("GET", "HEAD")
_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Guard:
    """ASGI middleware. `token` must not be empty."""

    def __init__(self, app: ASGIApp, *, token: str, allowed_hosts: AllowedHosts, sessions: Sessions) -> None:
        if not token:
            raise ValueError("the guard needs a token")
        self._app = app
        self._token = token.encode()
        self._sessions = sessions
        self._allowed = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
        except LoomError as error:
            await _refuse(scope, receive, send, error)
            return
        await self._app(scope, receive, _with_headers(send))

    def _check(self, scope: Scope) -> None:
        _check_size(scope["headers"])
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        self._check_host_and_origin(scope, headers)
        self._check_query(scope["query_string"])
        if _is_open(scope):
            return
        if scope["type"] == "http" and (scope["method"], scope["path"]) == ("POST", SIGN_IN):
            _check_is_own_page(headers)
        elif b"authorization" not in headers and self._has_cookie(scope, headers):
            _check_may_use_cookie(scope, headers)
        else:
            self._check_token(headers.get(b"authorization", []))

    def _check_host_and_origin(self, scope: Scope, headers: dict[bytes, list[bytes]]) -> None:
        hosts = headers.get(b"host", [])
        host = parse_authority(hosts[0].decode("latin-1")) if len(hosts) == 1 else None
        if host is None or host not in self._allowed:
            raise LoomError("FORBIDDEN_HOST")
        origins = headers.get(b"origin", [])
        if not origins:
            return
        origin = parse_origin(origins[0].decode("latin-1")) if len(origins) == 1 else None
        if origin is None or origin != own_origin(_SCHEMES[scope["scheme"]], host):
            raise LoomError("FORBIDDEN_ORIGIN")

    def _check_query(self, query: bytes) -> None:
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            if name.lower() in _TOKEN_FIELDS or hmac.compare_digest(value.encode(), self._token):
                raise LoomError("TOKEN_IN_QUERY")

    def _has_cookie(self, scope: Scope, headers: dict[bytes, list[bytes]]) -> bool:
        sent = headers.get(b"cookie", [])
        if len(sent) != 1:
            return False
        name = cookie_name(headers[b"host"][0].decode("latin-1"), _SCHEMES[scope["scheme"]])
        secret = cookie_of(sent[0].decode("latin-1"), name)
        return secret is not None and self._sessions.knows(secret)

    def _check_token(self, values: list[bytes]) -> None:
        scheme, _, token = values[0].partition(b" ") if len(values) == 1 else (b"", b"", b"")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self._token):
            raise LoomError("UNAUTHORIZED")


def _check_size(headers: list[tuple[bytes, bytes]]) -> None:
    if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > MOST_HEADER_BYTES:
        raise LoomError("HEADERS_TOO_LARGE")


def _is_open(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] not in _SAFE:
        return False
    return scope["path"] in OPEN_PATHS or is_of_page(scope["path"])


def _check_may_use_cookie(scope: Scope, headers: dict[bytes, list[bytes]]) -> None:
    """A browser adds a cookie whoever makes it ask; pages at other ports of this host are of the same site to it."""
    if scope["type"] == "websocket" or scope["method"] not in _SAFE:
        _check_is_own_page(headers)
    elif headers.get(b"sec-fetch-site", [b"none"]) not in ([b"none"], [b"same-origin"]):
        raise LoomError("FORBIDDEN_ORIGIN")


def _check_is_own_page(headers: dict[bytes, list[bytes]]) -> None:
    """An Origin that is there has been compared already."""
    if b"origin" not in headers:
        raise LoomError("FORBIDDEN_ORIGIN", "A browser's request must say from which page it comes.")


async def _refuse(scope: Scope, receive: Receive, send: Send, error: LoomError) -> None:
    """Answers without reading the body. A server that cannot answer an upgrade closes it."""
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})
            return
        kind = "websocket.http.response"
    body = problem_body(error)
    headers = {**problem_headers(error), "Connection": "close", "Content-Length": str(len(body))}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": f"{kind}.start", "status": error.http_status, "headers": [*raw, *_HEADERS]})
    await send({"type": f"{kind}.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[Any] = list(message.get("headers", []))
            message["headers"] = headers + _HEADERS
        await send(message)

    return sending
