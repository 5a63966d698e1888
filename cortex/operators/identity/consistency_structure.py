"""Whether containers are whole, by what they say of their own sizes: nothing is decoded."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from cortex.operators.identity.consistency_findings import Finding, ReadAt, at_byte

_ISO = frozenset(
    {
        "video/mp4", "video/quicktime", "video/3gpp", "audio/mp4", "image/heic", "image/heic-sequence", "image/heif",
        "image/avif",
    }
)  # fmt: skip
_FILMS_OF_ISO = frozenset({"video/mp4", "video/quicktime", "video/3gpp", "audio/mp4"})
_RIFF = frozenset({"video/x-msvideo", "audio/x-wav", "image/webp"})
_EBML = frozenset({"video/x-matroska", "video/webm", "audio/x-matroska", "audio/webm"})
_OGG = frozenset({"audio/ogg", "video/ogg"})
_MAX_BOXES = 100_000
_OGG_PAGE = 65_307
_SEGMENT, _CUES, _CLUSTER = 0x18538067, 0x1C53BB6B, 0x1F43B675
_UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF})
"""What stands in the place of a size in RIFF files whose writer could not go back to its start."""


def structure(read_at: ReadAt, size: int, mime: str) -> list[Finding]:
    """What is wrong with the outermost parts of a file of `size` bytes; nothing for formats that are not known here."""
    for mimes, look in _LOOKS:
        if mime in mimes:
            return list(look(read_at, size, mime))
    return []


def _iso(read_at: ReadAt, size: int, mime: str) -> Iterator[Finding]:
    """ISO/IEC 14496-12: boxes one after the other, among them the one that says where frames are."""
    start, seen = 0, set[bytes]()
    for _ in range(_MAX_BOXES):
        header = read_at(start, 16)
        if len(header) < 8:
            break
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        if length == 0 and kind.isascii() and kind.strip(b"\0"):
            seen.add(kind)
            break
        if length < 8 or not all(32 <= byte < 127 or byte == 0xA9 for byte in kind):
            if read_at(start, 64).strip(b"\0") or size - start > 1 << 20:
                yield Finding("structure", "no box begins where the one before it ends", at_byte(start))
            break
        seen.add(kind)
        if start + length > size:
            missing = start + length - size
            name = kind.decode("latin-1")
            yield Finding("truncated", f"the box {name} is {missing:,} bytes longer than the file", at_byte(size))
            break
        start += length
    if mime in _FILMS_OF_ISO and b"moov" not in seen:
        yield Finding("index-missing", "there is no box moov, which says where the frames are")
    if mime not in _FILMS_OF_ISO and b"meta" not in seen and b"moov" not in seen:
        yield Finding("index-missing", "there is no box meta, which says where the picture is")


def _riff(read_at: ReadAt, size: int, mime: str) -> Iterator[Finding]:
    """RIFF: the first chunk holds all others; of AVI more than one may follow each other."""
    start, seen, indexed = 0, set[bytes](), False
    while start < size and (header := read_at(start, 12))[:4] in (b"RIFF", b"RF64", b"BW64"):
        length = int.from_bytes(header[4:8], "little")
        if length in _UNKNOWN_SIZES:
            return
        end = start + 8 + length
        chunks = list(_chunks(read_at, start + 12, min(end, size)))
        seen.update(kind for kind, _ in chunks)
        indexed = indexed or any(b"indx" in read_at(at, 4096) for kind, at in chunks if kind == b"LIST")
        if end > size:
            yield Finding("truncated", f"it says that it is {end - size:,} bytes longer than it is", at_byte(size))
            break
        start = end + (length & 1)
    if mime == "video/x-msvideo" and b"idx1" not in seen and not indexed:
        yield Finding("index-missing", "there is no chunk idx1, which says where the frames are")


def _chunks(read_at: ReadAt, start: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Names of chunks, and where their content begins."""
    for _ in range(_MAX_BOXES):
        header = read_at(start, 8)
        if len(header) < 8 or start + 8 > end:
            return
        yield header[:4], start + 8
        length = int.from_bytes(header[4:8], "little")
        start += 8 + length + (length & 1)


def _ebml(read_at: ReadAt, size: int, mime: str) -> Iterator[Finding]:
    """Matroska: a segment that says how long it is, and an index in it that is found through its list of parts, or
    behind the last cluster. A segment without a size was sent while it was made, or never finished."""
    start = 0
    while (element := _element(read_at, start)) is not None and element[0] != _SEGMENT:
        start = element[2] if element[2] is not None else size
    if element is None:
        yield Finding("structure", "there is no segment", at_byte(start))
        return
    _, begin, end = element
    if end is None:
        yield Finding("index-missing", "it was never finished: it does not say how long it is")
        return
    if end > size:
        yield Finding("truncated", f"the segment is {end - size:,} bytes longer than the file", at_byte(size))
    parts = set[int]()
    at = begin
    for _ in range(_MAX_BOXES):
        part = _element(read_at, at) if at < min(end, size) else None
        if part is None or part[2] is None:
            break
        parts.add(part[0])
        at = part[2]
    if _CLUSTER in parts and _CUES not in parts:
        yield Finding("index-missing", "there are no cues, which say where the frames are")


def _element(read_at: ReadAt, start: int) -> tuple[int, int, int | None] | None:
    """Id of an element, where its content begins and where it ends; None for an unknown end, or no element."""
    head = read_at(start, 12)
    if len(head) < 2 or not head[0]:
        return None
    id_length = 9 - head[0].bit_length()
    if id_length > 4 or len(head) <= id_length or not head[id_length]:
        return None
    size_length = 9 - head[id_length].bit_length()
    content = start + id_length + size_length
    mask = (1 << 7 * size_length) - 1
    length = int.from_bytes(head[id_length : id_length + size_length], "big") & mask
    return int.from_bytes(head[:id_length], "big"), content, None if length == mask else content + length


def _ogg(read_at: ReadAt, size: int, mime: str) -> Iterator[Finding]:
    """RFC 3533: pages one after the other, each with a checksum; the last one of a stream is marked as such."""
    at = wrong = last = flags = 0
    while at < size and wrong < _MOST_WRONG:
        page = read_at(at, _OGG_PAGE)
        segments = page[26] if len(page) > 26 else 0
        length = 27 + segments + sum(page[27 : 27 + segments])
        if not page.startswith(b"OggS\0"):
            wrong += 1
            yield Finding("structure", "no page begins where the one before it ends", at_byte(at))
            skip = page.find(b"OggS\0", 1)
            at += skip if skip > 0 else max(len(page) - 4, 1)
            continue
        if len(page) < length:
            yield Finding("truncated", "the last page is not whole", at_byte(size))
            return
        if _ogg_checksum(page[:length]) != page[22:26]:
            wrong += 1
            yield Finding("checksum", "the checksum of a page is not that of its content", at_byte(at))
        last, flags, at = at, page[5], at + length
    if not wrong and not flags & 4:
        yield Finding("end-missing", "the last page is not marked as the last", at_byte(last))


def _ogg_checksum(page: bytes) -> bytes:
    """CRC-32 with the bits of each byte, and of the sum, the other way round than zlib has them."""
    turned = (page[:22] + bytes(4) + page[26:]).translate(_TURNED)
    return (zlib.crc32(turned, 0xFFFFFFFF) ^ 0xFFFFFFFF).to_bytes(4, "big").translate(_TURNED)


_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_MOST_WRONG = 10


def _transport(read_at: ReadAt, size: int, mime: str) -> Iterator[Finding]:
    """ISO/IEC 13818-1: packets of 188 bytes, each begun by the byte 0x47; of Blu-ray discs 4 more stand before each."""
    head = read_at(0, 4 * 192)
    length, first = next((n, at) for n, at in ((192, 4), (188, 0)) if n == 188 or set(head[at::n]) == {0x47})
    for start in range(0, size, length * _PACKETS):
        marks = read_at(start, length * _PACKETS)[first::length]
        if (wrong := len(marks) - marks.count(0x47)) != 0:
            at = start + length * next(number for number, mark in enumerate(marks) if mark != 0x47)
            yield Finding("structure", f"{wrong:,} packets or more do not begin where they should", at_byte(at))
            return
    if size % length:
        yield Finding("truncated", "the last packet is not whole", at_byte(size))


_PACKETS = 4096
_LOOKS: tuple[tuple[frozenset[str], Callable[[ReadAt, int, str], Iterator[Finding]]], ...] = (
    (_ISO, _iso),
    (_RIFF, _riff),
    (_EBML, _ebml),
    (_OGG, _ogg),
    (frozenset({"video/mp2t"}), _transport),
)
