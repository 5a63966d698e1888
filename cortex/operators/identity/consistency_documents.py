"""Whether PDF files and ZIP archives, office documents among them, are whole."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from cortex.operators.identity.consistency_findings import MOST, Finding, ReadAt, at_byte

PDF = "application/pdf"
_ZIPPED = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.")
_ZIPS = frozenset({"application/zip", "application/epub+zip", "application/java-archive"})
_TAIL = 4096
_START = re.compile(rb"startxref\s+(\d{1,12})\s")
_INDEX = re.compile(rb"\s*(?:xref\b|\d+\s+\d+\s+obj\b)")
_PIECE = 1 << 20
_MOST_BYTES = 4 << 30
"""So much of an archive is unpacked at most; it may be a bomb."""


def is_zip(mime: str) -> bool:
    return mime in _ZIPS or mime.startswith(_ZIPPED)


def pdf(read_at: ReadAt, size: int) -> Iterator[Finding]:
    """ISO 32000-1, 7.5.5: at the end stand the mark %%EOF and where the table of cross references is."""
    header = max(read_at(0, 1024).find(b"%PDF-"), 0)
    tail_at = max(size - _TAIL, 0)
    tail = read_at(tail_at, _TAIL)
    if b"%%EOF" not in tail:
        yield Finding("truncated", "the mark %%EOF at its end is missing", at_byte(size))
        return
    told = list(_START.finditer(tail))
    if not told:
        yield Finding("index-missing", "it does not say where its table of cross references is", at_byte(tail_at))
        return
    offset = int(told[-1][1])
    if not any(_INDEX.match(read_at(at, 64)) for at in {offset, offset + header}):
        yield Finding("index-missing", "no table of cross references stands where it should", at_byte(offset))


def archive(file: BinaryIO, progress: Callable[[float], None]) -> Iterator[Finding]:
    """Reads every member and compares its checksum; encrypted ones, and such as are packed in a way that is not known
    here, are passed over. At most 4 GiB are unpacked."""
    try:
        opened = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        yield Finding("index-missing", f"its directory cannot be read ({error})")
        return
    with opened:
        members = [one for one in opened.infolist() if not one.is_dir()]
        left, found = _MOST_BYTES, 0
        for number, member in enumerate(members):
            progress(number / len(members))
            if member.flag_bits & 1 or left <= 0 or found >= MOST:
                continue
            left -= member.file_size
            reason = _why_unreadable(opened, member)
            if reason is not None:
                found += 1
                yield Finding("checksum" if "CRC" in reason else "damaged", reason, member.filename[:200])


def _why_unreadable(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> str | None:
    try:
        with opened.open(member) as content:
            while content.read(_PIECE):
                pass
    except NotImplementedError:
        return None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
        return f"the member cannot be unpacked: {error}" if str(error) else "the member cannot be unpacked"
    return None
