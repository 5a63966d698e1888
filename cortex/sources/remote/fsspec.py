"""Stores that fsspec knows: S3, listings of web servers and many more."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cortex.sources.remote.files import Landing, Listed, UnwantedError, Version
from cortex.sources.remote.landing import Kept, begun
from cortex.sources.remote.logins import said
from loom.errors import NO_ROOM, LoomError

CONNECT_S, READ_S = 10, 60
"""How long a server may take to answer, and to send the next bytes."""

_ETAGS = ("ETag", "etag", "md5", "md5Hash", "content_md5", "Content-MD5", "sha256", "sha1", "sha", "crc32c", "checksum")
_TIMES = ("LastModified", "last_modified", "Last-Modified", "mtime", "modified", "updated", "modify", "timeModified")
_WEB = frozenset({"http", "https"})
_AT_ONCE = frozenset({"s3"})
"""Stores whose library gets a whole file in one request, its bytes in their order."""
_PIECE = 4 * 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REFUSED = frozenset({"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"})


class FsspecStore:
    """All at or below an address, by the library's own names. `options` are for the file system of its scheme. Raises
    `REQUIREMENT_MISSING` for a scheme that is not to be had here, `SOURCE_UNREACHABLE` where it cannot be opened."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self.root = os.fsencode(url.rstrip("/"))
        self._scheme = url.partition(":")[0]
        self._options = dict(options)
        self._own = threading.local()
        self._shared: Any = None
        self._path = ""
        self._open()

    def folder(self, url: bytes) -> Listed:
        """Raises `FILE_VANISHED` for one that is not there, `FILE_UNREADABLE`, `READ_FAILED`."""
        store, path = self._open(), self._path_of(url)
        with _Telling():
            store.invalidate_cache()
            entries = store.ls(path + "/" * (self._scheme in _WEB), detail=True)
        below = path.rstrip("/") + "/"
        listed = Listed([], [], [])
        for entry in entries:
            name = str(entry["name"])
            if name.startswith(below) and not (self._scheme in _WEB and "?" in name):
                _sort(listed, entry, name.removeprefix(below))
        return listed

    def look(self, url: bytes) -> Version:
        with _Telling():
            told = self._open().info(self._path_of(url))
        if told.get("type") == "directory":
            raise LoomError("FILE_VANISHED")
        return _version(told)

    def read(self, url: bytes, landing: Landing, version: Version) -> Version:
        store, path, first = self._open(), self._path_of(url), begun(landing, version)
        with _Telling():
            if not first and self._scheme in _AT_ONCE:
                store.get_file(path, landing.path, callback=_told_to(landing))
            elif not first or first != version.size:
                _copy(store, path, landing, first)
        seen = self.look(url)
        size = os.path.getsize(landing.path)
        landing.came(size)
        if seen.size is not None and seen.size != size:
            landing.part = None
            raise LoomError("CHANGED_WHILE_READ")
        return seen._replace(size=size)

    def close(self) -> None:
        """Its connections end with the library's own thread."""

    def _path_of(self, url: bytes) -> str:
        return self._path + os.fsdecode(url[len(self.root) :])

    def _open(self) -> Any:
        """One for all threads, where it can be used by several at once."""
        if self._shared is not None:
            return self._shared
        if (mine := getattr(self._own, "store", None)) is not None:
            return mine
        store, path = _opened(os.fsdecode(self.root), self._scheme, self._options)
        self._path = path.rstrip("/")
        if store.async_impl:
            self._shared = store
        self._own.store = store
        return store


def _opened(url: str, scheme: str, options: Mapping[str, Any]) -> tuple[Any, str]:
    try:
        import fsspec

        more = _web_options() if scheme in _WEB else {}
        if fsspec.get_filesystem_class(scheme).async_impl:
            more["use_listings_cache"] = False
        found: tuple[Any, str] = fsspec.core.url_to_fs(url, skip_instance_cache=True, **more, **options)
        return found
    except ImportError as error:
        raise LoomError("REQUIREMENT_MISSING", f"{scheme}:// needs a package more: {error}") from error
    except ValueError as error:
        raise LoomError("REQUIREMENT_MISSING", f"{scheme}:// cannot be opened here: {error}") from error
    except Exception as error:
        raise LoomError("SOURCE_UNREACHABLE", f"{url} cannot be opened: {said(error)}") from error


def _copy(store: Any, path: str, landing: Landing, first: int) -> None:
    with store.open(path, "rb") as file, Kept(landing, first) as kept:
        if first:
            file.seek(first)
        while piece := file.read(_PIECE):
            kept.write(piece)


def _web_options() -> dict[str, Any]:
    import aiohttp

    patience = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=READ_S)
    return {"client_kwargs": {"timeout": patience, "trust_env": True}}


def _sort(listed: Listed, entry: Mapping[str, Any], name: str) -> None:
    """Stores show the folder itself, as a file, where it was made as an empty object, and as a folder without a name
    what has an empty name among its folders."""
    if not name.strip("/"):
        if entry.get("type") == "directory":
            listed.special.append(b"/")
    elif "/" in name.rstrip("/") or name.rstrip("/") in (".", ".."):
        listed.special.append(os.fsencode(name))
    elif entry.get("type") == "directory" or name.endswith("/"):
        listed.folders.append(os.fsencode(name.rstrip("/")))
    elif entry.get("type", "file") == "file":
        version = _version(entry)
        listed.files.append((os.fsencode(name), None if version.size is None else version))
    else:
        listed.special.append(os.fsencode(name))


def _version(told: Mapping[str, Any]) -> Version:
    size = told.get("size")
    etag = next((str(told[key]).strip('"') for key in _ETAGS if told.get(key)), "")
    changed = next((told[key] for key in _TIMES if told.get(key)), None)
    return Version(None if size is None else int(size), _nanoseconds(changed), etag)


def _nanoseconds(told: Any) -> int:
    """A time as libraries tell it, in nanoseconds since 1970; 0 for one that says nothing."""
    if isinstance(told, int | float):
        return int(told * 1_000_000) * 1000
    if isinstance(told, str):
        told = _date(told)
    if not isinstance(told, datetime):
        return 0
    since = (told if told.tzinfo is not None else told.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds) * 1000


def _date(text: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def web_date(text: str | None) -> int:
    """The time in a header of HTTP, in nanoseconds since 1970; 0 where there is none."""
    return _nanoseconds(text)


def _told_to(landing: Landing) -> Any:
    from fsspec.callbacks import Callback

    class Told(Callback):  # type: ignore[misc]
        """Hears how much has come."""

        def call(self, hook_name: str | None = None, **kwargs: Any) -> None:
            landing.came(int(self.value or 0))

    return Told()


class _Telling:
    """What a library raises within is raised as `LoomError`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, LoomError | UnwantedError):
            return
        if isinstance(error, FileNotFoundError):
            raise LoomError("FILE_VANISHED", "It is not there any more.") from error
        if isinstance(error, PermissionError) or type(error).__name__ in _REFUSED:
            raise LoomError("FILE_UNREADABLE", f"It may not be read: {said(error)}") from error
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise LoomError("DISK_FULL", "There is no room left for files that are brought here.") from error
        raise LoomError("READ_FAILED", f"Reading failed: {said(error)}") from error
