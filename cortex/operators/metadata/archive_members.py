"""What an archive holds, read from its directory alone: nothing is unpacked."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from zipfile import ZipFile, ZipInfo

import msgspec

from cortex.media.phases import as_damage
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.media import Media

FILE, FOLDER, LINK, DEVICE = "file", "folder", "link", "device"
_ENCRYPTED = 0x1
_BLOCK = 512
_UNIX = 3


class Member(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One entry. `kind` is `file`, `folder`, `link` or `device`; `size` and `packed` are bytes, as far as the archive
    tells them; `modified` is ISO 8601, without a zone where the archive has none; `target` is where a link leads."""

    name: str
    kind: str = FILE
    size: int = 0
    packed: int | None = None
    modified: str | None = None
    encrypted: bool = False
    target: str | None = None
    dangers: tuple[str, ...] = ()


Progress = Callable[[float], None]
Members = Iterator[Member]


class Bounded:
    """A stream of which at most `limit` bytes may be read; reading on raises `FILE_TOO_LARGE`."""

    def __init__(self, file: BinaryIO, limit: int, tell: Callable[[], None]) -> None:
        self._file = file
        self._limit = self._left = limit
        self._tell = tell

    def read(self, count: int) -> bytes:
        data = self._file.read(count)
        self._left -= len(data)
        self._tell()
        if self._left < 0:
            raise LoomError("FILE_TOO_LARGE", f"unpacked, the archive has more than {self._limit:,} bytes")
        return data


_UNPACK: dict[str, Callable[[BinaryIO], Any]] = {
    "application/gzip": lambda file: gzip.GzipFile(fileobj=file, mode="rb"),
    "application/x-bzip2": bz2.BZ2File,
    "application/x-xz": lzma.LZMAFile,
}
FORMATS = {
    "application/zip": "zip",
    "application/java-archive": "zip",
    "application/x-tar": "tar",
    "application/gzip": "tar.gz",
    "application/x-bzip2": "tar.bz2",
    "application/x-xz": "tar.xz",
    "application/x-7z-compressed": "7z",
    "application/vnd.rar": "rar",
}
"""By media type what an archive is called; a file that is merely compressed is none."""


def is_archive(media: Media) -> bool:
    if media.mime not in _UNPACK:
        return media.mime in FORMATS
    with media.open() as file, suppress(EOFError, OSError, ValueError, lzma.LZMAError, zlib.error, tarfile.TarError):
        with _UNPACK[media.mime](file) as unpacked:
            block = unpacked.read(_BLOCK)
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        return True
    return False


def members_of(media: Media, limit: int, progress: Progress) -> Members:
    """The members in their order in the archive. A compressed tar has no directory, so it is unpacked as it is read:
    at most `limit` bytes. Raises `LoomError`: FILE_DAMAGED, FILE_TRUNCATED, FILE_ENCRYPTED (names too), FILE_TOO_LARGE,
    FORMAT_UNSUPPORTED, MEMORY_EXCEEDED, REQUIREMENT_MISSING."""
    try:
        with media.open() as file:
            match FORMATS.get(media.mime):
                case "zip":
                    yield from _of_zip(file)
                case "7z":
                    yield from _of_7z(file)
                case "rar":
                    yield from _of_rar(file)
                case _:
                    yield from _of_tar(file, media, limit, progress)
    except (LoomError, GeneratorExit):
        raise
    except ImportError as error:
        raise LoomError(
            "REQUIREMENT_MISSING", f"{error.name} is not installed: pip install 'loom-cortex[archives]'"
        ) from error
    except tarfile.ReadError as error:
        code = "FILE_TRUNCATED" if "unexpected end" in str(error) else "FILE_DAMAGED"
        raise LoomError(code, f"the archive cannot be read: {error}") from error
    except (Exception, MemoryError) as error:
        raise as_damage(error) from error


def _of_zip(file: BinaryIO) -> Members:
    with ZipFile(file) as archive:
        for info in archive.infolist():
            yield Member(
                name=info.filename,
                kind=_zip_kind(info),
                size=info.file_size,
                packed=info.compress_size,
                modified=_zip_time(info),
                encrypted=bool(info.flag_bits & _ENCRYPTED),
            )


def _zip_kind(info: ZipInfo) -> str:
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    if info.is_dir():
        return FOLDER
    return LINK if stat.S_ISLNK(mode) else FILE


def _zip_time(info: ZipInfo) -> str | None:
    with suppress(ValueError):
        return datetime(*info.date_time).isoformat()
    return None


def _of_tar(file: BinaryIO, media: Media, limit: int, progress: Progress) -> Members:
    unpack = _UNPACK.get(media.mime)
    if unpack is None:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            yield from _of_open_tar(archive)
        return
    with unpack(file) as unpacked:
        bounded = Bounded(unpacked, limit, lambda: progress(min(file.tell() / media.size, 1.0)))
        with tarfile.open(fileobj=cast(Any, bounded), mode="r|") as archive:
            yield from _of_open_tar(archive)


def _of_open_tar(archive: tarfile.TarFile) -> Members:
    while (info := archive.next()) is not None:
        vars(archive)["members"] = []  # which it would keep, all of them
        yield _tar_member(info)


def _tar_member(info: tarfile.TarInfo) -> Member:
    kind = FOLDER if info.isdir() else LINK if info.islnk() or info.issym() else FILE if info.isfile() else DEVICE
    return Member(
        name=info.name,
        kind=kind,
        size=info.size,
        modified=_unix_time(info.mtime),
        target=info.linkname if kind == LINK else None,
    )


def _unix_time(seconds: float) -> str | None:
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(int(seconds), UTC).isoformat()
    return None


def _of_7z(file: BinaryIO) -> Members:
    import py7zr

    try:
        with py7zr.SevenZipFile(file) as archive:
            sealed = archive.needs_password()
            for info in archive.list():
                yield Member(
                    name=info.filename,
                    kind=FOLDER if info.is_directory else LINK if info.is_symlink else FILE,
                    size=info.uncompressed or 0,
                    packed=info.compressed,
                    modified=info.creationtime.isoformat() if info.creationtime else None,
                    encrypted=sealed,
                )
    except py7zr.PasswordRequired as error:
        raise LoomError("FILE_ENCRYPTED", "the names in the archive are encrypted, too") from error


def _of_rar(file: BinaryIO) -> Members:
    import rarfile

    with rarfile.RarFile(file, part_only=True) as archive:
        infos = archive.infolist()
        if not infos and archive.needs_password():
            raise LoomError("FILE_ENCRYPTED", "the names in the archive are encrypted, too")
        for info in infos:
            target = info.file_redir[2] if info.is_symlink() and info.file_redir else None
            yield Member(
                name=info.filename,
                kind=FOLDER if info.is_dir() else LINK if info.is_symlink() else FILE,
                size=info.file_size or 0,
                packed=info.compress_size,
                modified=info.mtime.isoformat() if info.mtime else None,
                encrypted=bool(info.needs_password()),
                target=target,
            )
