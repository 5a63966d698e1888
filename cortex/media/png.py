"""Chunks of PNG files (ISO/IEC 15948) that stand behind the pixels."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import BinaryIO

_MAX_CHUNKS = 20_000
_MAX_CONTENT = 1024 * 1024
_XMP = b"XML:com.adobe.xmp"


def late_metadata(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    """EXIF and XMP, under the names Pillow gives them, from the headers of chunks alone; pixels are passed over."""
    file.seek(8)
    for _ in range(_MAX_CHUNKS):
        header = file.read(8)
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if len(header) < 8 or kind == b"IEND":
            return
        if kind not in (b"eXIf", b"iTXt") or length > _MAX_CONTENT:
            file.seek(length + 4, os.SEEK_CUR)
            continue
        content = file.read(length)
        file.seek(4, os.SEEK_CUR)
        if kind == b"eXIf":
            yield "exif", b"Exif\0\0" + content
        elif content.startswith(_XMP + b"\0") and (text := _text(content[len(_XMP) + 1 :])) is not None:
            yield "xmp", text


def _text(content: bytes) -> bytes | None:
    """What follows the keyword of an iTXt chunk: two flags, language, translated keyword, text."""
    parts = content[2:].split(b"\0", 2)
    if len(parts) < 3:
        return None
    if content[:1] != b"\1":
        return parts[2]
    try:
        return zlib.decompressobj().decompress(parts[2], _MAX_CONTENT)
    except zlib.error:
        return None
