"""TIFF files with 16 bits a channel (TIFF 6.0, with Adobe's deflate), which Pillow does not write in colour."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_STRIP = 1 << 20
"""Bytes of pixels in one strip, about."""
_BYTE, _SHORT, _LONG, _UNDEFINED = 1, 3, 4, 7
_HEADER = 8


def tiff_of(pixels: np.ndarray[Any, np.dtype[Any]], profile: bytes | None, xmp: bytes | None = None) -> bytes:
    """Of height x width x channels in uint16: grey, RGB, or one of them with opacity, in strips, each row as
    differences to the pixel before, and the profile of its colours."""
    height, width, channels = pixels.shape
    rows = max(1, _STRIP // (2 * channels * width))
    strips = [_packed(pixels[top : top + rows]) for top in range(0, height, rows)]
    starts, at = [], _HEADER
    for strip in strips:
        starts.append(at)
        at += len(strip)
    padding = b"\0" * (at % 2)
    entries = [
        (256, _LONG, [width]),
        (257, _LONG, [height]),
        (258, _SHORT, [16] * channels),
        (259, _SHORT, [8]),  # deflate
        (262, _SHORT, [2 if channels >= 3 else 1]),  # RGB, or grey with black at 0
        (273, _LONG, starts),
        (277, _SHORT, [channels]),
        (278, _LONG, [rows]),
        (279, _LONG, [len(strip) for strip in strips]),
        (284, _SHORT, [1]),
        (317, _SHORT, [2]),  # differences along the row
        *([(338, _SHORT, [2])] if channels in (2, 4) else []),  # opacity
        (339, _SHORT, [1] * channels),
        *([] if xmp is None else [(700, _BYTE, list(xmp))]),
        *([] if profile is None else [(34675, _UNDEFINED, list(profile))]),
    ]
    end = at + len(padding)
    return b"".join([struct.pack("<2sHI", b"II", 42, end), *strips, padding, _directory(entries, end)])


def _packed(rows: np.ndarray[Any, np.dtype[Any]]) -> bytes:
    differences = rows.astype("<u2")
    differences[:, 1:] -= rows[:, :-1]
    return zlib.compress(differences.tobytes(), 3)


def _directory(entries: list[tuple[int, int, list[int]]], start: int) -> bytes:
    """The directory, and behind it the values that have no room in it."""
    head, behind = struct.pack("<H", len(entries)), b""
    after = start + 2 + 12 * len(entries) + 4
    for tag, kind, values in entries:
        data = struct.pack(f"<{len(values)}{ {_SHORT: 'H', _LONG: 'I', _UNDEFINED: 'B', _BYTE: 'B'}[kind] }", *values)
        if len(data) > 4:
            place, data = struct.pack("<I", after + len(behind)), data + b"\0" * (len(data) % 2)
            behind += data
        else:
            place = data.ljust(4, b"\0")
        head += struct.pack("<HHI", tag, kind, len(values)) + place
    return head + b"\0\0\0\0" + behind
