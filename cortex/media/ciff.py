"""Canon's CRW: a heap of values with its directory at the end (CIFF; the tags are those that ExifTool documents at
exiftool.org/canon_raw.html)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, NamedTuple

from cortex.media.rawtypes import RawHeader, Size, shown

_MODEL, _TAKEN, _SIZE, _EXPOSURE = 0x080A, 0x180E, 0x1810, 0x1818
_PREVIEWS = (0x2007, 0x2008)
_BELOW = (0x2800, 0x3000)
"""Types of heaps in the heap."""
_TYPE, _NUMBER, _IN_RECORD = 0x3800, 0x3FFF, 0x4000
_RECORD, _MOST_RECORDS, _DEEPEST, _LONGEST = 10, 512, 8, 4096


class _Record(NamedTuple):
    tag: int
    start: int
    length: int


def header(file: BinaryIO) -> RawHeader:
    """What the file tells; empty where its directory cannot be read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    start = file.read(14)
    order = "<" if start[:2] == b"II" else ">"
    found: dict[int, _Record] = {}
    if len(start) == 14:
        for record in _records(file, order, int(struct.unpack_from(order + "I", start, 2)[0]), size, _DEEPEST):
            found.setdefault(record.tag, record)
    places = [(found[tag].start, found[tag].length) for tag in _PREVIEWS if tag in found]
    values = {tag: _content(file, record) for tag, record in found.items() if tag not in _PREVIEWS}
    shown, orientation = _shown(values.get(_SIZE, b""), order)
    exif: dict[Any, Any] = {**_camera(values.get(_MODEL, b"")), **orientation}
    if detail := _moment(values.get(_TAKEN, b""), order) | _exposure(values.get(_EXPOSURE, b""), order):
        exif["Exif"] = detail
    return RawHeader(places, shown, exif, {})


def _records(file: BinaryIO, order: str, start: int, end: int, deepest: int) -> Iterator[_Record]:
    """Of a heap from `start` to `end`, and of those in it. Its last four bytes tell where its directory begins."""
    if not 0 <= start <= end - 4 or not deepest:
        return
    file.seek(end - 4)
    directory = start + int(struct.unpack(order + "I", file.read(4))[0])
    file.seek(directory)
    count = min(int.from_bytes(file.read(2), "little" if order == "<" else "big"), _MOST_RECORDS)
    data = file.read(count * _RECORD)
    for at in range(0, len(data) - _RECORD + 1, _RECORD):
        tag, length, offset = struct.unpack_from(order + "HII", data, at)
        if tag & _IN_RECORD:
            yield _Record(tag & _NUMBER, directory + 2 + at + 2, 8)
        elif tag & _TYPE in _BELOW:
            yield from _records(file, order, start + offset, min(start + offset + length, end), deepest - 1)
        else:
            yield _Record(tag & _NUMBER, start + offset, length)


def _content(file: BinaryIO, record: _Record) -> bytes:
    file.seek(record.start)
    return file.read(min(record.length, _LONGEST))


def _camera(value: bytes) -> dict[int, str]:
    names = [name.decode("latin-1").strip() for name in value.split(b"\0")[:2]]
    return {tag: name for tag, name in zip((0x10F, 0x110), names, strict=False) if name}


def _shown(value: bytes, order: str) -> tuple[Size | None, dict[int, int]]:
    """Width and height, and how the picture is turned."""
    if len(value) < 16:
        return None, {}
    width, height, _, degrees = struct.unpack_from(order + "IIfi", value)
    return shown(width, height, degrees)


def _moment(value: bytes, order: str) -> dict[int, str]:
    """The camera's clock, whatever its zone, as seconds since 1970."""
    if len(value) < 4 or not (seconds := int(struct.unpack_from(order + "I", value)[0])):
        return {}
    return {0x9003: datetime.fromtimestamp(seconds, UTC).strftime("%Y:%m:%d %H:%M:%S")}


def _exposure(value: bytes, order: str) -> dict[int, float]:
    """Time and aperture, which are told as powers of two (APEX)."""
    if len(value) < 12:
        return {}
    _, time, aperture = struct.unpack_from(order + "3f", value)
    if not (abs(time) < 32 and 0 < aperture < 32):
        return {}
    return {0x829A: round(2.0**-time, 6), 0x829D: round(2.0 ** (aperture / 2), 1)}
