"""Documents, archives and programs that need a closer look."""

from __future__ import annotations

import re
from collections.abc import Callable

ReadAt = Callable[[int, int], bytes]

_OOXML = "application/vnd.openxmlformats-officedocument."
_OFFICE = (
    (b"word/", _OOXML + "wordprocessingml.document"),
    (b"xl/", _OOXML + "spreadsheetml.sheet"),
    (b"ppt/", _OOXML + "presentationml.presentation"),
    (b"visio/", "application/vnd.visio"),
)
_OLE = (
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("VisioDocument", "application/vnd.visio"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
)
_MIMETYPE = re.compile(rb"application/(?:vnd\.oasis\.opendocument\.[a-z0-9.+-]{1,60}|epub\+zip)")
_TAIL = 16 * 1024


def zipped(head: bytes, size: int, read_at: ReadAt) -> str:
    """ZIP: OpenDocument and EPUB say what they are in a first entry `mimetype`, stored as it is; Office's files are
    known by the folders in them, listed at the latest in the directory at the end."""
    if head[30:38] == b"mimetype":
        start = 30 + 8 + int.from_bytes(head[28:30], "little")
        mime = head[start : start + int.from_bytes(head[22:26], "little")].strip()
        if _MIMETYPE.fullmatch(mime):
            return mime.decode("ascii")
    names = head if size <= len(head) else head + read_at(max(size - _TAIL, len(head)), _TAIL)
    if b"[Content_Types].xml" in names:
        return next((mime for folder, mime in _OFFICE if folder in names), "application/zip")
    if b"META-INF/MANIFEST.MF" in names:
        return "application/java-archive"
    return "application/zip"


def ole(head: bytes, size: int, read_at: ReadAt) -> str:
    """Compound file ([MS-CFB]): its directory, 128 bytes an entry, names what it holds."""
    sector = 1 << min(int.from_bytes(head[30:32], "little"), 12)
    directory = sector * (1 + int.from_bytes(head[48:52], "little"))
    entries = read_at(directory, 4096) if directory < size else b""
    names = {_ole_name(entries[at : at + 128]) for at in range(0, len(entries) - 127, 128)}
    return next((mime for name, mime in _OLE if name in names), "application/x-ole-storage")


def _ole_name(entry: bytes) -> str:
    length = int.from_bytes(entry[64:66], "little")
    return entry[: max(min(length, 64) - 2, 0)].decode("utf-16-le", "replace")


def bzip2(head: bytes, size: int, read_at: ReadAt) -> str | None:
    """The size of a block as a digit, then the digits of pi, or at the end of an empty file those of its root."""
    numbers = (bytes.fromhex("314159265359"), bytes.fromhex("177245385090"))
    return "application/x-bzip2" if head[3:4] in b"123456789" and head[4:10] in numbers else None


def dos_program(head: bytes, size: int, read_at: ReadAt) -> str | None:
    at = int.from_bytes(head[60:64], "little")
    if len(head) >= 64 and head[at : at + 4] == b"PE\0\0":
        return "application/vnd.microsoft.portable-executable"
    return "application/x-msdos-program" if b"\0" in head[:64] else None


def elsewhere(head: bytes, size: int, read_at: ReadAt) -> str | None:
    """Formats whose mark stands further in."""
    if head[257:262] == b"ustar":
        return "application/x-tar"
    if head[128:132] == b"DICM":
        return "application/dicom"
    if head[32769:32774] == b"CD001":
        return "application/x-iso9660-image"
    # A PDF may have up to a kilobyte before its mark (ISO 32000, annex H).
    return "application/pdf" if b"%PDF-1." in head[:1024] and b"\0" not in head[:8] else None
