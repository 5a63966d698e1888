"""EBML (RFC 8794), the syntax of Matroska and WebM, as far as telling formats apart needs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Element(NamedTuple):
    """`start` and `end` bound the content; `end` is cut at the end of what is at hand."""

    id: int
    start: int
    end: int


def elements(data: bytes, start: int, end: int) -> Iterator[Element]:
    """The elements between two offsets; stops at what is not one."""
    end = min(end, len(data))
    while start < end:
        id_length = _length(data[start], 4)
        if id_length is None or start + id_length >= end:
            return
        number = int.from_bytes(data[start : start + id_length], "big")
        start += id_length
        size_length = _length(data[start], 8)
        if size_length is None or start + size_length > end:
            return
        size = int.from_bytes(data[start : start + size_length], "big") & (1 << 7 * size_length) - 1
        start += size_length
        unknown = size == (1 << 7 * size_length) - 1
        stop = end if unknown else min(start + size, end)
        yield Element(number, start, stop)
        start = stop


def _length(first: int, most: int) -> int | None:
    """Bytes of a number, from the zeros before the first one bit."""
    length = 9 - first.bit_length()
    return length if first and length <= most else None
