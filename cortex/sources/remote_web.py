"""Files at addresses of the web, http and https."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from cortex.sources.remote import Landing, Version
from cortex.sources.remote_fsspec import CONNECT_S, READ_S, web_date
from loom.errors import NO_ROOM, LoomError
from loom.version import VERSION

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 5
MAX_LENGTH = 2000
"""The longest address, in bytes."""

ADDRESS = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://")
"""How an address begins, and no path does."""

_SECRET = re.compile(
    r"x-(amz|goog)-(signature|credential|security-token)|signature|sig|(access_?)?token|api_?key|key-pair-id"
)
_PIECE = 256 * 1024
_NO_HEAD = frozenset({400, 403, 405, 501})
"""What servers say that do not know HEAD, or not for signed addresses."""


def place_of(address: bytes) -> bytes:
    """The address in the form in which Loom keeps it. Raises `ValueError` with a sentence for one that is not fetched,
    which does not hold what is secret in it."""
    try:
        parts = urlsplit(os.fsdecode(address))
        port = parts.port
    except ValueError:
        raise ValueError("It is no address.") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError("Only addresses of http:// and https:// are fetched.")
    if not parts.hostname or any(ord(sign) <= 32 for sign in os.fsdecode(address)):
        raise ValueError("It is no address.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("It holds credentials, which Loom would keep and show with it.")
    if any(_SECRET.fullmatch(name.lower()) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ValueError("It holds a signature or a key, which Loom would keep and show with it.")
    if parts.path.endswith("/") or not parts.path:
        raise ValueError("It names a folder, not a file.")
    if len(address) > MAX_LENGTH:
        raise ValueError(f"It is longer than {MAX_LENGTH} bytes.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = urlunsplit((parts.scheme, host if port is None else f"{host}:{port}", parts.path, "", ""))
    return os.fsencode(place + ("?" + parts.query.replace("/", "%2F") if parts.query else ""))


def shown_place(address: bytes) -> bytes:
    """An address that is not fetched, without what may be secret in it."""
    bare = re.split(rb"[?#]", address, maxsplit=1)[0]
    return re.sub(rb"//[^/@]*@", b"//", bare)[:MAX_LENGTH]


def origin_of(place: bytes) -> bytes:
    """The server."""
    return b"/".join(place.split(b"/", 3)[:3])


class Web:
    """Asks servers for what is at an address, with HEAD, or GET where that is refused. At most 5 redirects are
    followed, to http and https. A file of more than `max_size` bytes is `FILE_TOO_LARGE`."""

    def __init__(self, max_size: int) -> None:
        import httpx

        self._max_size = max_size
        self._client = httpx.Client(
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            headers={"User-Agent": f"loom-cortex/{VERSION}", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        self._client.close()

    def look(self, url: bytes) -> Version:
        try:
            with self._client.stream("HEAD", os.fsdecode(url)) as answer:
                if answer.status_code not in _NO_HEAD:
                    return self._version(answer)
            with self._client.stream("GET", os.fsdecode(url)) as answer:
                return self._version(answer)
        except Exception as error:
            raise _failure(error) from error

    def read(self, url: bytes, landing: Landing) -> Version:
        try:
            with self._client.stream("GET", os.fsdecode(url)) as answer:
                version = self._version(answer)
                total = self._save(answer, landing)
        except Exception as error:
            raise _failure(error) from error
        return version._replace(size=total)

    def _save(self, answer: httpx.Response, landing: Landing) -> int:
        total = 0
        with open(landing.path, "wb") as file:
            for piece in answer.iter_raw(_PIECE):
                file.write(piece)
                total += len(piece)
                self._check(total)
                landing.came(total)
        return total

    def _version(self, answer: httpx.Response) -> Version:
        """Raises `LoomError` for an answer that is none."""
        status, headers = answer.status_code, answer.headers
        if status in (404, 410):
            raise LoomError("FILE_VANISHED", f"The server answers {status}: it is not there.")
        if status == 429 or status >= 500:
            raise LoomError("READ_FAILED", f"The server answers {status}.")
        if status != 200:
            raise LoomError("FILE_UNREADABLE", f"The server answers {status}.")
        size = _size(headers)
        self._check(size or 0)
        return Version(size, web_date(headers.get("Last-Modified")), headers.get("ETag", "").strip())

    def _check(self, size: int) -> None:
        if size > self._max_size:
            raise LoomError("FILE_TOO_LARGE", f"It has more than {self._max_size} bytes, which is the limit here.")


def _size(headers: Mapping[str, str]) -> int | None:
    with suppress(ValueError):
        return max(int(headers.get("Content-Length", "")), 0)
    return None


def _failure(error: Exception) -> Exception:
    """What is raised for it."""
    import httpx

    said = " ".join(str(error).split())[:300] or type(error).__name__
    if isinstance(error, httpx.TooManyRedirects | httpx.UnsupportedProtocol | httpx.InvalidURL):
        return LoomError("FILE_UNREADABLE", f"It cannot be fetched: {said}")
    if isinstance(error, httpx.HTTPError):
        return LoomError("READ_FAILED", f"Reading failed: {said}")
    if isinstance(error, OSError):
        code = "DISK_FULL" if error.errno in NO_ROOM else "READ_FAILED"
        return LoomError(code, f"It cannot be kept for reading: {error.strerror}")
    return error
