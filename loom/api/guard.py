"""Who may call: checked before anything else, on every request and every WebSocket upgrade.

Host against the names that are allowed (DNS rebinding), Origin against this very address (pages of others), no tokens
in addresses (they end up in logs), then the token. Since everything but the open paths needs the token, a missing
Origin without one is refused as well.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loom.api.hosts import AllowedHosts, own_origin, parse_authority, parse_origin
from loom.api.problems import problem_body, problem_headers
from loom.errors import LoomError

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json"})
"""What may be read without a token: it says nothing of what Loom keeps, and a browser has no token to send."""

_TOKEN_FIELDS = frozenset({"token", "access_token", "auth_token", "api_key", "apikey", "authorization", "bearer"})
_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Guard:
    """ASGI middleware. `token` must not be empty; `allowed_hosts` are names, with or without a port."""

    def __init__(self, app: ASGIApp, *, token: str, allowed_hosts: Iterable[str]) -> None:
        if not token:
            raise ValueError("the guard needs a token")
        self._app = app
        self._token = token.encode()
        self._allowed = AllowedHosts(allowed_hosts)

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
        headers: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.lower(), []).append(value)
        self._check_host_and_origin(scope, headers)
        self._check_query(scope["query_string"])
        is_open = scope["type"] == "http" and scope["path"] in OPEN_PATHS and scope["method"] in ("GET", "HEAD")
        if not is_open:
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

    def _check_token(self, values: list[bytes]) -> None:
        scheme, _, token = values[0].partition(b" ") if len(values) == 1 else (b"", b"", b"")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self._token):
            raise LoomError("UNAUTHORIZED")


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
