"""Sigma's X3F: sections, and a directory of them at the end of the file."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from cortex.media.rawtypes import RawHeader, Size, shown

_MOST_SECTIONS, _LONGEST = 64, 256 * 1024
_PICTURE, _PROPERTIES = 28, 24
"""Bytes of the headers of these sections."""
_SIZED_UP_TO = 4
"""From this version on the header is another."""
_TEXTS = {"CAMMANUF": 0x10F, "CAMMODEL": 0x110}
_NUMBERS = {"APERTURE": 0x829D, "SHUTTER": 0x829A, "FLENGTH": 0x920A}


def header(file: BinaryIO) -> RawHeader:
    """What the file tells; previews that are no JPEG are left to who reads them."""
    places: list[tuple[int, int]] = []
    told: dict[str, str] = {}
    for kind, start, length in _sections(file):
        if kind in (b"IMAG", b"IMA2"):
            places.append((start + _PICTURE, max(length - _PICTURE, 0)))
        elif kind == b"PROP":
            file.seek(start)
            told |= _properties(file.read(min(length, _LONGEST)))
    file.seek(0)
    size, orientation = _shown(file.read(40))
    return RawHeader(places, size, {**_exif(told), **orientation}, {})


def _sections(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and length of each."""
    end = file.seek(0, io.SEEK_END)
    if end < 4:
        return
    file.seek(end - 4)
    file.seek(int.from_bytes(file.read(4), "little"))
    head = file.read(12)
    if head[:4] != b"SECd" or len(head) < 12:
        return
    data = file.read(12 * min(int.from_bytes(head[8:], "little"), _MOST_SECTIONS))
    for start, length, kind in struct.iter_unpack("<II4s", data[: len(data) // 12 * 12]):
        yield kind, start, length


def _shown(head: bytes) -> tuple[Size | None, dict[int, int]]:
    """Width and height, and how the picture is turned."""
    if len(head) < 40 or int.from_bytes(head[6:8], "little") >= _SIZED_UP_TO:
        return None, {}
    width, height, degrees = struct.unpack_from("<III", head, 28)
    return shown(width, height, degrees)


def _properties(section: bytes) -> dict[str, str]:
    """Names and values, in UTF-16; where each begins is counted in characters."""
    if section[:4] != b"SECp" or len(section) < _PROPERTIES:
        return {}
    count = min(int.from_bytes(section[8:12], "little"), len(section) // 8)
    texts = section[_PROPERTIES + 8 * count :]
    pairs = struct.iter_unpack("<II", section[_PROPERTIES : _PROPERTIES + 8 * count])
    return {_text(texts, name): _text(texts, value) for name, value in pairs}


def _text(texts: bytes, at: int) -> str:
    return texts[2 * at : 2 * at + 512].decode("utf-16-le", "replace").split("\0")[0].strip()


def _exif(told: dict[str, str]) -> dict[Any, Any]:
    exif: dict[Any, Any] = {tag: told[name] for name, tag in _TEXTS.items() if told.get(name)}
    detail: dict[int, Any] = {}
    for name, tag in _NUMBERS.items():
        try:
            detail[tag] = float(told[name])
        except (KeyError, ValueError):
            continue
    if told.get("ISO", "").isdecimal():
        detail[0x8827] = int(told["ISO"])
    if told.get("TIME", "").isdecimal() and 0 < int(told["TIME"]) < 2**32:
        # the camera's clock, whatever its zone, as seconds since 1970
        detail[0x9003] = datetime.fromtimestamp(int(told["TIME"]), UTC).strftime("%Y:%m:%d %H:%M:%S")
    return {**exif, "Exif": detail} if detail else exif
