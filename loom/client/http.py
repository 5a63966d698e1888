"""Calls over HTTP, with typed bodies both ways."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import msgspec

from loom.client.address import Address
from loom.client.problems import error_of
from loom.errors import LoomError
from loom.shapes import Page
from loom.verbs import MAX_PAGE, Parts
from loom.wire.values import sendable

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
_KEEP_S = 30.0
"""Less than a server keeps a connection that is not used, so that none is closed under a request."""
_KEPT_PER_S = 10e6
"""So many bytes of a large file are kept in a second at least."""


class Http:
    """Every call may raise what the server answered, and `LOOM_UNREACHABLE`. Safe for threads."""

    def __init__(self, address: Address, timeout: float) -> None:
        import httpx

        self._address = address
        self._timeout = timeout
        self._client = httpx.Client(
            timeout=timeout,
            limits=httpx.Limits(keepalive_expiry=_KEEP_S),
            trust_env=not address.is_loopback,
            verify=not address.is_plain,
        )

    def get(self, path: str, shape: type[T], /, **params: Any) -> T:
        return _decoded(self._send("GET", path, params=params), shape)

    def post(
        self,
        path: str,
        shape: type[T],
        body: Any,
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
    ) -> T:
        content = msgspec.json.encode(body)
        return _decoded(self._send("POST", path, params=params, content=content, headers=headers), shape)

    def put(self, path: str, shape: type[T], body: Any) -> T:
        return _decoded(self._send("PUT", path, content=msgspec.json.encode(body)), shape)

    def post_for_some(self, path: str, shape: type[T], body: Any) -> T | None:
        """A POST that may be answered with nothing."""
        response = self._send("POST", path, content=msgspec.json.encode(body))
        return None if response.status_code == 204 else _decoded(response, shape)

    def tell(self, path: str, body: Any) -> None:
        """A POST whose answer does not matter."""
        self._send("POST", path, content=msgspec.json.encode(body))

    def upload(self, method: str, path: str, data: bytes, media_type: str) -> None:
        self._send(method, path, content=data, headers={"Content-Type": media_type})

    def upload_parts(self, path: str, parts: Parts, media_type: str) -> None:
        """A PUT of what is not in memory; the answer may take as long as that takes to be kept."""
        headers = {"Content-Type": media_type, "Content-Length": str(parts.size)}
        patience_s = self._timeout + parts.size / _KEPT_PER_S
        self._send("PUT", path, content=parts.pieces(), headers=headers, timeout=patience_s)

    def delete(self, path: str, headers: dict[str, str]) -> None:
        self._send("DELETE", path, headers=headers)

    def fetch(self, path: str) -> httpx.Response:
        return self._send("GET", path)

    def everything(self, path: str, shape: type[Page[T]], /, **params: Any) -> list[T]:
        """All items of a list, page by page."""
        items: list[T] = []
        cursor: str | None = None
        while True:
            page = self.get(path, shape, limit=MAX_PAGE, cursor=cursor, **params)
            items += page.items
            if page.next is None:
                return items
            cursor = page.next

    def lines(self, path: str, /, **params: Any) -> Iterator[str]:
        """Lines as they come."""
        with self._reached(), self._client.stream("GET", self._url(path), **self._arguments(params)) as response:
            if not response.is_success:
                raise error_of(response.status_code, response.read())
            yield from response.iter_lines()

    def close(self) -> None:
        self._client.close()

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        content: bytes | Iterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        arguments = self._arguments(params or {})
        if timeout is not None:
            arguments["timeout"] = timeout
        if content is not None:
            arguments["content"] = content
            headers = {"Content-Type": "application/json", **(headers or {})}
        arguments["headers"] |= headers or {}
        with self._reached():
            response = self._client.request(method, self._url(path), **arguments)
        if not response.is_success:
            raise error_of(response.status_code, response.content)
        return response

    def _url(self, path: str) -> str:
        return self._address.api + path

    def _arguments(self, params: dict[str, Any]) -> dict[str, Any]:
        given = {name: _text(value) for name, value in params.items() if value is not None}
        return {"params": given, "headers": self._address.headers()}

    @contextmanager
    def _reached(self) -> Iterator[None]:
        import httpx

        try:
            yield
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise self._address.unreachable(error) from error


def path_of(*parts: object) -> str:
    """An address below the prefix, each part escaped."""
    return "".join(f"/{quote(sendable(str(part)), safe='')}" for part in parts)


def page_limit(limit: int) -> int:
    """As Loom in process reads a limit."""
    return max(1, min(limit, MAX_PAGE))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return sendable(str(value.value if isinstance(value, Enum) else value))


def _decoded(response: httpx.Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=shape)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise LoomError("INTERNAL", f"The server's answer is not of the form expected: {error}") from error
