"""Folders of servers that speak WebDAV (RFC 4918)."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote_to_bytes, urlsplit
from xml.etree import ElementTree

from cortex.sources.remote.files import Landing, Listed, Version
from cortex.sources.remote.fsspec import web_date
from cortex.sources.remote.logins import ServerStore, refused
from cortex.sources.remote.web import Web, check_status
from loom.errors import LoomError

if TYPE_CHECKING:
    import httpx

MAX_ANSWER = 256 * 1024 * 1024
"""The longest answer about a folder, in bytes."""

_ASKED = (
    b'<?xml version="1.0"?><propfind xmlns="DAV:"><prop>'
    b"<resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>"
)
_SECURE = frozenset({"webdavs", "davs"})


class _Entry(NamedTuple):
    path: bytes
    is_folder: bool
    version: Version


class DavStore(ServerStore):
    """All at or below `webdav://user@host:port/folder`, or `webdavs://` over TLS. The password comes from the netrc
    file. Paths are written as they are, without percent signs. Raises `SOURCE_UNREACHABLE` where it cannot be
    opened."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        host = f"[{self._server.host}]" if ":" in self._server.host else self._server.host
        port = "" if self._server.port is None else f":{self._server.port}"
        self._origin = f"{'https' if self._server.scheme in _SECURE else 'http'}://{host}{port}"
        self._web = Web(sys.maxsize, self._login)
        try:
            with self._web.telling(), self._ask(self._server.path.rstrip(b"/") + b"/", 0) as answer:
                status = answer.status_code
        except LoomError as error:
            self.close()
            raise LoomError("SOURCE_UNREACHABLE", f"{url} cannot be opened: {error.message}") from error
        if status == 401:
            self.close()
            raise refused(url, self._login)

    def close(self) -> None:
        self._web.close()

    def folder(self, url: bytes) -> Listed:
        """Raises `FILE_VANISHED` for one that is not there, `FILE_UNREADABLE`, `READ_FAILED`."""
        path = self._path_of(url).rstrip(b"/") + b"/"
        listed = Listed([], [], [])
        for entry in self._entries(path, 1):
            name = entry.path.removeprefix(path).rstrip(b"/")
            if not (entry.path.rstrip(b"/") + b"/").startswith(path):
                raise LoomError("READ_FAILED", "The server names other places than the folder that it was asked for.")
            if not name or entry.path.rstrip(b"/") + b"/" == path:
                continue
            if b"/" in name or name in (b".", b".."):
                listed.special.append(name)
            elif entry.is_folder:
                listed.folders.append(name)
            else:
                listed.files.append((name, entry.version if entry.version.size is not None else None))
        return listed

    def look(self, url: bytes) -> Version:
        entry = next(self._entries(self._path_of(url), 0), None)
        if entry is None or entry.is_folder:
            raise LoomError("FILE_VANISHED")
        return entry.version

    def read(self, url: bytes, landing: Landing, version: Version) -> Version:
        """Of the file is told what listings tell."""
        came = self._web.read(os.fsencode(self._address(self._path_of(url))), landing, version)
        return self.look(url)._replace(size=came.size)

    def _address(self, path: bytes) -> str:
        return self._origin + quote(path)

    def _ask(self, path: bytes, depth: int) -> httpx._client.StreamContextManager:  # type: ignore[name-defined]
        headers = {"Depth": str(depth), "Content-Type": "application/xml"}
        return self._web.client.stream("PROPFIND", self._address(path), headers=headers, content=_ASKED)

    def _entries(self, path: bytes, depth: int) -> Iterator[_Entry]:
        data = bytearray()
        with self._web.telling(), self._ask(path, depth) as answer:
            check_status(answer.status_code, 207)
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > MAX_ANSWER:
                    raise LoomError("READ_FAILED", f"The server's answer has more than {MAX_ANSWER} bytes.")
        try:
            yield from _parsed(bytes(data))
        except (ElementTree.ParseError, ValueError) as error:
            raise LoomError("READ_FAILED", f"The server's answer cannot be understood: {error}") from error


def _parsed(data: bytes) -> Iterator[_Entry]:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("it declares entities")
    for response in ElementTree.fromstring(data).iter(  # noqa: S314
        "{DAV:}response"
    ):
        path = unquote_to_bytes(urlsplit((response.findtext("{DAV:}href") or "").strip()).path)
        told = {
            prop.tag: prop
            for stat in response.iter("{DAV:}propstat")
            if " 200" in (stat.findtext("{DAV:}status") or "")
            for props in stat.iter("{DAV:}prop")
            for prop in props
        }
        text = {tag: (prop.text or "").strip() for tag, prop in told.items()}
        kind = told.get("{DAV:}resourcetype")
        size = text.get("{DAV:}getcontentlength", "")
        etag = text.get("{DAV:}getetag", "")
        quoted = f'"{etag}"' if etag and '"' not in etag else etag
        version = Version(int(size) if size.isdigit() else None, web_date(text.get("{DAV:}getlastmodified")), quoted)
        yield _Entry(path, kind is not None and kind.find("{DAV:}collection") is not None, version)
