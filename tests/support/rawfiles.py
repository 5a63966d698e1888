"""Camera raw made of real pictures: DNG (1.4) with the values that a sensor behind a Bayer filter would have had."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

BLACK, WHITE = 512, 16383
SENSOR = 2048
"""Where the sensor's data begin."""
_BELOW = 1024
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SIGNED = 1, 2, 3, 4, 5, 10
_CODES = {_BYTE: "B", _ASCII: "B", _SHORT: "H", _LONG: "I", _RATIONAL: "I", _SIGNED: "i"}
# From CIE XYZ to linear sRGB, which is what this sensor sees.
_MATRIX = (32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570)


def write_dng(path: Path, picture: Image.Image, *, orientation: int = 1, preview: bytes = b"", taken: str = "") -> Path:
    """`picture` as the sensor lay, of even width and height; `preview` a JPEG; `taken` as EXIF writes it. The camera is
    `Meadow One` of the make `Meadow`."""
    sensor = _mosaic(np.asarray(picture.convert("RGB"))).astype("<u2").tobytes()
    width, height = picture.size
    matrix = [part for value in _MATRIX for part in (value, 10000)]
    shown_at = SENSOR + len(sensor)
    entries: dict[int, tuple[int, Any]] = {
        254: (_LONG, [0]), 256: (_LONG, [width]), 257: (_LONG, [height]), 258: (_SHORT, [16]), 259: (_SHORT, [1]),
        262: (_SHORT, [32803]), 271: (_ASCII, b"Meadow\0"), 272: (_ASCII, b"Meadow One\0"), 273: (_LONG, [SENSOR]),
        274: (_SHORT, [orientation]), 277: (_SHORT, [1]), 278: (_LONG, [height]), 279: (_LONG, [len(sensor)]),
        33421: (_SHORT, [2, 2]), 33422: (_BYTE, [0, 1, 1, 2]), 50706: (_BYTE, [1, 4, 0, 0]),
        50708: (_ASCII, b"Meadow One\0"), 50714: (_LONG, [BLACK]), 50717: (_LONG, [WHITE]),
        50721: (_SIGNED, matrix), 50728: (_RATIONAL, [1, 1] * 3), 50778: (_SHORT, [21]),
    }  # fmt: skip
    below = b""
    if preview:
        shown = {254: (_LONG, [1]), 259: (_SHORT, [7]), 273: (_LONG, [shown_at]), 279: (_LONG, [len(preview)])}
        entries[330] = (_LONG, [_BELOW])
        below += _directory(shown, _BELOW)
    if taken:
        entries[34665] = (_LONG, [_BELOW + len(below)])
        told = {33434: (_RATIONAL, [1, 250]), 34855: (_SHORT, [200]), 36867: (_ASCII, taken.encode() + b"\0")}
        below += _directory(told, _BELOW + len(below))
    head = (struct.pack("<2sHI", b"II", 42, 8) + _directory(entries, 8)).ljust(_BELOW, b"\0") + below
    path.write_bytes(head.ljust(SENSOR, b"\0") + sensor + preview)
    return path


def _mosaic(shown: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """One colour of each pixel, in linear light: red, green / green, blue."""
    coded = shown / 255.0
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    sensor = np.empty(shown.shape[:2])
    for (down, across), channel in {(0, 0): 0, (0, 1): 1, (1, 0): 1, (1, 1): 2}.items():
        sensor[down::2, across::2] = linear[down::2, across::2, channel]
    return np.rint(BLACK + sensor * (WHITE - BLACK))


def _directory(entries: dict[int, tuple[int, Any]], start: int) -> bytes:
    head, behind, after = struct.pack("<H", len(entries)), b"", start + 2 + 12 * len(entries) + 4
    for tag, (kind, values) in sorted(entries.items()):
        data = bytes(values) if kind in (_BYTE, _ASCII) else struct.pack(f"<{len(values)}{_CODES[kind]}", *values)
        count = len(values) // 2 if kind in (_RATIONAL, _SIGNED) else len(values)
        if len(data) > 4:
            data, behind = struct.pack("<I", after + len(behind)), behind + data + b"\0" * (len(data) % 2)
        head += struct.pack("<HHI", tag, kind, count) + data.ljust(4, b"\0")
    return head + b"\0\0\0\0" + behind
