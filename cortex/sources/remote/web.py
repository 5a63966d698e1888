"""Files at addresses of the web, http and https."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from cortex.sources.remote.files import Landing, Version
from cortex.sources.remote.fsspec import CONNECT_S, READ_S, web_date
from cortex.sources.remote.landing import Kept, begun
from cortex.sources.remote.logins import NOBODY, Login, said
from loom.errors import LoomError
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
_PART = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
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
    followed, to http and https. A file of more than `max_size` bytes is `FILE_TOO_LARGE`. The `login` is sent if its
    password is known, to nobody else than who was asked."""

    def __init__(self, max_size: int, login: Login = NOBODY) -> None:
        import httpx

        self._max_size = max_size
        self._login = login
        self.client = httpx.Client(
            auth=None if login.password is None else httpx.BasicAuth(login.user, login.password),
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            headers={"User-Agent": f"loom-cortex/{VERSION}", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        self.client.close()

    def look(self, url: bytes) -> Version:
        with self.telling():
            with self.client.stream("HEAD", os.fsdecode(url)) as answer:
                if answer.status_code not in _NO_HEAD:
                    return self._version(answer)
            with self.client.stream("GET", os.fsdecode(url)) as answer:
                return self._version(answer)

    def read(self, url: bytes, landing: Landing, version: Version) -> Version:
        first = begun(landing, version)
        if first and first == version.size:
            return self.look(url)
        with self.telling(), self.client.stream("GET", os.fsdecode(url), headers=_onward(version, first)) as answer:
            seen, first = self._begins(answer, landing, version, first)
            with Kept(landing, first) as kept:
                for piece in answer.iter_raw(_PIECE):
                    self._check(kept.total + len(piece))
                    kept.write(piece)
        return seen._replace(size=kept.total)

    def _begins(self, answer: httpx.Response, landing: Landing, version: Version, first: int) -> tuple[Version, int]:
        """Of which version what comes is, and at which byte it begins. A server may send all, and does when the file is
        another one by now."""
        if not first or answer.status_code != 206:
            if answer.status_code == 416:
                landing.part = None
                raise LoomError("READ_FAILED", "The server does not have the rest of it.")
            seen = self._version(answer)
            landing.part = version if seen.is_same(version) else seen
            return seen, 0
        part = _PART.fullmatch(answer.headers.get("Content-Range", ""))
        seen = _told(answer.headers, None if part is None or part[2] == "*" else int(part[2]))
        if part is None or int(part[1]) != first or not seen.is_same(version):
            landing.part = None
            raise LoomError("READ_FAILED", "The server sends another part of it than it was asked for.")
        return seen, first

    def _version(self, answer: httpx.Response) -> Version:
        """Raises `LoomError` for an answer that is none."""
        check_status(answer.status_code, 200)
        size = _size(answer.headers)
        self._check(size or 0)
        return _told(answer.headers, size)

    def _check(self, size: int) -> None:
        if size > self._max_size:
            raise LoomError("FILE_TOO_LARGE", f"It has more than {self._max_size} bytes, which is the limit here.")

    @contextmanager
    def telling(self) -> Iterator[None]:
        """What the client raises within is raised as `LoomError`."""
        import httpx

        try:
            yield
        except (httpx.TooManyRedirects, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise LoomError("FILE_UNREADABLE", f"It cannot be fetched: {said(error, self._login)}") from error
        except httpx.HTTPError as error:
            raise LoomError("READ_FAILED", f"Reading failed: {said(error, self._login)}") from error


def check_status(status: int, wanted: int) -> None:
    """Raises `LoomError` for another than is wanted."""
    if status in (404, 410):
        raise LoomError("FILE_VANISHED", f"The server answers {status}: it is not there.")
    if status == 429 or status >= 500:
        raise LoomError("READ_FAILED", f"The server answers {status}.")
    if status != wanted:
        raise LoomError("FILE_UNREADABLE", f"The server answers {status}.")


def _onward(version: Version, first: int) -> dict[str, str]:
    """Asks for what comes after the first bytes, if the file is still the same, and else for all of it."""
    if not first:
        return {}
    strong = version.etag and not version.etag.startswith("W/")
    date = formatdate(version.modified_ns / 1_000_000_000, usegmt=True)
    return {"Range": f"bytes={first}-", "If-Range": version.etag if strong else date}


def _told(headers: Mapping[str, str], size: int | None) -> Version:
    return Version(size, web_date(headers.get("Last-Modified")), headers.get("ETag", "").strip())


def _size(headers: Mapping[str, str]) -> int | None:
    with suppress(ValueError):
        return max(int(headers.get("Content-Length", "")), 0)
    return None
