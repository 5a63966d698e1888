"""What a PDF (ISO 32000) tells without being laid out: version, pages, encryption, its XMP packet."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Any

LOOK = 16 * 1024 * 1024
"""How much of a PDF is searched."""

_VERSION = re.compile(rb"%PDF-(\d\.\d)")
_LINEARISED = re.compile(rb"/Linearized\b[^>]{0,500}?/N\s+(\d{1,7})\b")
_TREE = re.compile(rb"/Type\s*/Pages\b")
_COUNT = re.compile(rb"/Count\s+(\d{1,7})\b")
_PAGE = re.compile(rb"/Type\s*/Page\b")
_OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b")
_PACKET = re.compile(rb"<x:xmpmeta\b.*?</x:xmpmeta>", re.DOTALL)
_MAX_STREAMS = 200
_MAX_STREAM = 4 * 1024 * 1024


def fields(data: bytes) -> dict[str, Any]:
    """`format`, `pages` where the file shows them, `encrypted`. Everything is looked for by pattern, within 16 MiB."""
    version = _VERSION.search(data, 0, 2048)
    found: dict[str, Any] = {
        "format": f"pdf-{version[1].decode()}" if version else "pdf",
        "encrypted": b"/Encrypt" in data,
    }
    if (pages := _pages(data)) is not None:
        found["pages"] = pages
    return found


def packet(data: bytes) -> bytes | None:
    """The first XMP packet that is not compressed."""
    match = _PACKET.search(data)
    return match[0] if match else None


def _pages(data: bytes) -> int | None:
    if (linearised := _LINEARISED.search(data, 0, 2048)) is not None:
        return int(linearised[1])
    counts = _tree_counts(data)
    if not counts:
        counts = [count for stream in _object_streams(data) for count in _tree_counts(stream)]
    return max(counts, default=len(_PAGE.findall(data))) or None


def _tree_counts(data: bytes) -> list[int]:
    """The counts of all nodes of the page tree, the root's being the largest. They stand near the type."""
    found = (_COUNT.search(data, max(match.start() - 200, 0), match.end() + 200) for match in _TREE.finditer(data))
    return [int(match[1]) for match in found if match]


def _object_streams(data: bytes) -> Iterator[bytes]:
    for number, match in enumerate(_OBJECT_STREAM.finditer(data)):
        start = data.find(b"stream", match.end(), match.end() + 500)
        if number == _MAX_STREAMS or start < 0:
            return
        start += 8 if data[start + 6 : start + 8] == b"\r\n" else 7
        try:
            yield zlib.decompressobj().decompress(data[start : start + _MAX_STREAM], _MAX_STREAM)
        except zlib.error:
            continue
