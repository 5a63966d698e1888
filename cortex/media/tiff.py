"""Directories of TIFF files (TIFF 6.0), read from bytes at hand without decoding pictures."""

from __future__ import annotations

import struct
from collections.abc import Mapping

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 13: 4}
_MAX_ENTRIES = 512
_MAX_VALUES = 64

Directory = Mapping[int, tuple[int, ...]]
"""Values by tag. Of text, of fractions and of long lists only (offset, count) is kept."""


def directory(data: bytes, start: int) -> Directory:
    """The directory at an offset; empty when there is none."""
    order = "<" if data[:1] == b"I" else ">"
    if not 8 <= start <= len(data) - 2:
        return {}
    (count,) = struct.unpack_from(order + "H", data, start)
    found: dict[int, tuple[int, ...]] = {}
    for at in range(start + 2, start + 2 + 12 * min(count, _MAX_ENTRIES), 12):
        if at + 12 > len(data):
            break
        tag, kind, length = struct.unpack_from(order + "HHI", data, at)
        if (value := _value(data, order, at + 8, kind, length)) is not None:
            found[tag] = value
    return found


def next_directory(data: bytes, start: int) -> int:
    """The offset of the directory after the one at `start`; 0 when there is none."""
    order = "<" if data[:1] == b"I" else ">"
    if not 8 <= start <= len(data) - 2:
        return 0
    at = start + 2 + 12 * int(struct.unpack_from(order + "H", data, start)[0])
    return int(struct.unpack_from(order + "I", data, at)[0]) if at + 4 <= len(data) else 0


def text_value(data: bytes, entries: Directory, tag: int) -> str:
    """A text of a directory; empty when it is missing or lies outside the data."""
    offset, count = (*entries.get(tag, (0, 0)), 0)[:2]
    return data[offset : offset + min(count, 256)].split(b"\0")[0].decode("latin-1").strip()


def _value(data: bytes, order: str, at: int, kind: int, count: int) -> tuple[int, ...] | None:
    size = _SIZES.get(kind)
    if size is None or not count:
        return None
    offset = at if size * count <= 4 else int(struct.unpack_from(order + "I", data, at)[0])
    if kind in (2, 5, 7) or count > _MAX_VALUES:
        return offset, count
    if offset + size * count > len(data):
        return None
    return struct.unpack_from(f"{order}{count}{ {1: 'B', 2: 'H', 4: 'I'}[size] }", data, offset)
