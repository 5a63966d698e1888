"""PNG files with 16 bits a channel (PNG, third edition), which Pillow does not write in colour."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
_UP = 2
_ROWS = 64


def png_of(
    pixels: np.ndarray[Any, np.dtype[Any]], profile: bytes | None, exif: bytes | None, xmp: bytes | None
) -> bytes:
    """Of height x width x 1 to 4 channels in uint16: each row as differences to the one above."""
    height, width, channels = pixels.shape
    chunks = [_chunk(b"IHDR", struct.pack(">2I5B", width, height, 16, _TYPES[channels], 0, 0, 0))]
    if profile is not None:
        chunks.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)))
    if exif is not None:
        chunks.append(_chunk(b"eXIf", exif.removeprefix(b"Exif\0\0")))
    if xmp is not None:
        chunks.append(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp))
    chunks += [_chunk(b"IDAT", data) for data in _packed(pixels) if data]
    return b"".join((b"\x89PNG\r\n\x1a\n", *chunks, _chunk(b"IEND", b"")))


def _packed(pixels: np.ndarray[Any, np.dtype[Any]]) -> Iterator[bytes]:
    import numpy as np

    height = pixels.shape[0]
    row_bytes = pixels[0].nbytes
    above = np.zeros(row_bytes, np.uint8)
    packer = zlib.compressobj(6)
    for top in range(0, height, _ROWS):
        rows = np.ascontiguousarray(pixels[top : top + _ROWS].astype(">u2")).view(np.uint8).reshape(-1, row_bytes)
        filtered = np.full((len(rows), row_bytes + 1), _UP, np.uint8)
        filtered[0, 1:] = rows[0] - above
        filtered[1:, 1:] = rows[1:] - rows[:-1]
        above = rows[-1]
        yield packer.compress(filtered.tobytes())
    yield packer.flush()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
