"""Boxes of ISO base media files (ISO/IEC 14496-12)."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

ReadAt = Callable[[int, int], bytes]

_MAX_BOXES = 64


class Box(NamedTuple):
    """`start` and `end` bound the content, header left out."""

    type: bytes
    start: int
    end: int


def boxes(read_at: ReadAt, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets, at most 64; stops at what is not a box."""
    for _ in range(_MAX_BOXES):
        header = read_at(start, 16)
        if len(header) < 8 or start + 8 > end:
            return
        size, kind, skip = int.from_bytes(header[:4], "big"), header[4:8], 8
        if size == 1:
            size, skip = int.from_bytes(header[8:16], "big"), 16
        elif size == 0:
            size = end - start
        if size < skip:
            return
        yield Box(kind, start + skip, min(start + size, end))
        start += size


def is_cut(read_at: ReadAt, size: int) -> bool:
    """Whether the last box says that it is longer than the file."""
    start = 0
    while start < size:
        header = read_at(start, 16)
        length = int.from_bytes(header[8:16] if header[:4] == b"\0\0\0\1" else header[:4], "big")
        if len(header) < 8:
            return True
        if length < 8:
            return False
        start += length
    return start > size


def rotations(read_at: ReadAt, size: int) -> list[int]:
    """For each video track in order, by how many degrees clockwise its pictures are to be turned for display: 0, 90,
    180 or 270, from the matrix in the track's header."""
    found: list[int] = []
    for moov in (box for box in boxes(read_at, 0, size) if box.type == b"moov"):
        for track in (box for box in boxes(read_at, moov.start, moov.end) if box.type == b"trak"):
            parts = {box.type: box for box in boxes(read_at, track.start, track.end)}
            if b"tkhd" in parts and b"mdia" in parts and _is_video(read_at, parts[b"mdia"]):
                found.append(_rotation(read_at(parts[b"tkhd"].start, 88)))
    return found


def _is_video(read_at: ReadAt, media: Box) -> bool:
    handlers = [box for box in boxes(read_at, media.start, media.end) if box.type == b"hdlr"]
    return bool(handlers) and read_at(handlers[0].start + 8, 4) == b"vide"


def _rotation(header: bytes) -> int:
    at = 52 if header[:1] == b"\1" else 40
    if len(header) < at + 8:
        return 0
    a, b = struct.unpack_from(">ii", header, at)
    return round(math.degrees(math.atan2(b, a)) / 90) * 90 % 360
