"""Stored results on this machine, beside a server or without one: below the meta path, or as an attribute of the file.

A record belongs to content, not to a path: it names the asset it was computed from and is ignored for any other.
"""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from cortex.settings import CortexSettings
from loom.model import StoredResult
from loom.parts import Parts
from loom.verbs import NewArtifact

ATTRIBUTE = "user.loom.results"
"""The extended attribute's name."""

_NOT_POSSIBLE = {errno.ENOSPC, errno.E2BIG, errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EROFS, errno.EDQUOT}
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ESTALE}
WRITING = "writing"
"""The folder below the meta path in which files are written."""
_ABANDONED_S = 3600.0
"""No write takes so long: the process that began with it is dead."""


class _Record(msgspec.Struct, array_like=True):
    asset: bytes
    results: dict[bytes, StoredResult]


class Cache(Protocol):
    """Where results are kept locally, in `folder` if nowhere else. `path` is where the content was found."""

    @property
    def folder(self) -> Path: ...

    def get(self, asset: bytes, path: bytes) -> dict[bytes, StoredResult]: ...

    def put(self, asset: bytes, path: bytes, results: Sequence[StoredResult]) -> None: ...

    def artifact(self, digest: bytes) -> bytes | None: ...

    def opened(self, digest: bytes) -> Parts | None: ...

    def put_artifacts(self, artifacts: Sequence[NewArtifact]) -> None: ...


def make_cache(settings: CortexSettings, *, embedded: bool) -> Cache | None:
    """The local cache that the settings ask for; `auto`: none beside the embedded Loom."""
    kind = settings.cache
    if kind == "none" or (kind == "auto" and embedded):
        return None
    meta_path = MetaPathCache(settings.meta_path)
    return XattrCache(meta_path) if kind == "xattr" else meta_path


class MetaPathCache:
    """Records in files below a folder: `results/<2 hex>/<asset in hex>`, derived files in `artifacts` alike. A write
    is a rename out of the folder `writing`, so a reader sees the old record or the new one. What killed processes left
    there is removed before the first write."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._swept = False

    @property
    def folder(self) -> Path:
        return self._root

    def get(self, asset: bytes, path: bytes) -> dict[bytes, StoredResult]:
        """The results kept for this content, by signature; a damaged record counts as none."""
        try:
            return _decode(self._place("results", asset).read_bytes(), asset)
        except OSError:
            return {}

    def put(self, asset: bytes, path: bytes, results: Sequence[StoredResult]) -> None:
        """Adds results to what is kept."""
        kept = self.get(asset, path)
        kept.update((result.signature, result) for result in results)
        self._write(self._place("results", asset), [msgspec.msgpack.encode(_Record(asset, kept))])

    def artifact(self, digest: bytes) -> bytes | None:
        try:
            return self._place("artifacts", digest).read_bytes()
        except OSError:
            return None

    def opened(self, digest: bytes) -> Parts | None:
        """A derived file for those who do not want to hold it in memory."""
        try:
            return Parts.whole(os.open(self._place("artifacts", digest), os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            return None

    def put_artifacts(self, artifacts: Sequence[NewArtifact]) -> None:
        for artifact in artifacts:
            place = self._place("artifacts", artifact.digest)
            if not place.exists():
                self._write(place, artifact.pieces())

    def _place(self, room: str, digest: bytes) -> Path:
        name = digest.hex()
        return self._root / room / name[:2] / name

    def _write(self, place: Path, pieces: Iterable[bytes]) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._swept_room())
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
            Path(temporary).replace(place)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _swept_room(self) -> Path:
        room = self._root / WRITING
        room.mkdir(parents=True, exist_ok=True)
        if not self._swept:
            for path in room.iterdir():
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < time.time() - _ABANDONED_S:
                        path.unlink()
            self._swept = True
        return room


class XattrCache:
    """Records in an extended attribute of the file itself; what does not fit there, or a file system without
    attributes, falls back to the meta path, and so does a file that is gone by then: its content may come again.
    Derived files always lie below the meta path."""

    def __init__(self, fallback: MetaPathCache) -> None:
        self._fallback = fallback

    @property
    def folder(self) -> Path:
        return self._fallback.folder

    def get(self, asset: bytes, path: bytes) -> dict[bytes, StoredResult]:
        try:
            return _decode(os.getxattr(path, ATTRIBUTE), asset) or self._fallback.get(asset, path)
        except OSError:
            return self._fallback.get(asset, path)

    def put(self, asset: bytes, path: bytes, results: Sequence[StoredResult]) -> None:
        kept = self.get(asset, path)
        kept.update((result.signature, result) for result in results)
        try:
            os.setxattr(path, ATTRIBUTE, msgspec.msgpack.encode(_Record(asset, kept)))
        except OSError as error:
            if error.errno not in _NOT_POSSIBLE | _GONE:
                raise
            self._fallback.put(asset, path, results)

    def artifact(self, digest: bytes) -> bytes | None:
        return self._fallback.artifact(digest)

    def opened(self, digest: bytes) -> Parts | None:
        return self._fallback.opened(digest)

    def put_artifacts(self, artifacts: Sequence[NewArtifact]) -> None:
        self._fallback.put_artifacts(artifacts)


def _decode(data: bytes, asset: bytes) -> dict[bytes, StoredResult]:
    try:
        record = msgspec.msgpack.decode(data, type=_Record)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError):
        return {}
    return record.results if record.asset == asset else {}
