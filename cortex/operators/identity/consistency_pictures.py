"""Whether pictures are whole, as far as their format lets one tell."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from cortex.operators.identity.consistency_findings import Finding, at_byte

_HOLLOW = bytes(4096)
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])", re.DOTALL)
_PNG_START = 8
_MAX_PNG_CHUNKS = 1_000_000
_SOI, _EOI, _SOS, _DHT = 0xD8, 0xD9, 0xDA, 0xC4
_KEPT_BY_DECODER = frozenset({0xE0, 0xEE})
_TEXTS = frozenset({*range(0xE0, 0xF0), 0xFE})


def picture(data: bytes, mime: str) -> list[Finding]:
    """What is wrong with the bytes of a picture; nothing for formats that are not known here."""
    look = {"image/jpeg": _jpeg, "image/png": _png, "image/gif": _gif, "image/webp": _webp}.get(mime)
    return [] if look is None else list(look(data))


class _Scan(NamedTuple):
    """Coded pixels of a JPEG: where they stand, and whether zeros are what a plain area is coded as there."""

    start: int
    end: int
    plain_is_zero: bool


def _jpeg(data: bytes) -> Iterator[Finding]:
    """ITU-T T.81. Camera makers' own blocks are left to those that read them; a second picture behind the end mark,
    as phones add it, is not looked at."""
    scans: list[_Scan] = []
    kept = [data[:2]]
    end = _read_segments(data, scans, kept)
    if not scans:
        yield Finding("unreadable", "there are no pixels in it")
        return
    for scan in scans:
        at = data.find(_HOLLOW, scan.start, scan.end)
        if at >= 0 and not scan.plain_is_zero:
            yield Finding("zeros", "zero bytes stand where pixels should", at_byte(at))
            break
    if end is None:
        yield Finding("end-missing", "the end mark (EOI) is missing", at_byte(len(data)))
    elif (reason := _undecodable(b"".join(kept))) is not None:
        yield Finding("damaged", f"the coded pixels break off or make no sense ({reason})")


def _read_segments(data: bytes, scans: list[_Scan], kept: list[bytes]) -> int | None:
    """Fills `scans`, and `kept` with all that a decoder needs; returns where the end mark stands, None without one."""
    at = 2
    first: dict[tuple[int, int], int] = {}
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = found[1][0], found.start()
        if marker == _EOI:
            kept.append(data[at : at + 2])
            return at
        length = 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _DHT:
            first.update(_first_symbols(data[at + 4 : at + length]))
        if marker not in _TEXTS or marker in _KEPT_BY_DECODER:
            kept.append(data[at : at + length])
        if marker == _SOS:
            header, start = data[at : at + length], at + length
            following = _MARKER.search(data, start)
            stop = len(data) if following is None else following.start()
            scans.append(_Scan(start, stop, _plain_is_zero(header, first)))
            kept.append(data[start:stop])
            at = stop
        else:
            at += length
    return None


def _first_symbols(tables: bytes) -> Iterator[tuple[tuple[int, int], int]]:
    """Of each Huffman table, by class and number, the symbol whose code is zeros alone: the first one."""
    at = 0
    while at + 17 < len(tables):
        yield (tables[at] >> 4, tables[at] & 15), tables[at + 17]
        at += 17 + sum(tables[at + 1 : at + 17])


def _plain_is_zero(header: bytes, first: dict[tuple[int, int], int]) -> bool:
    """Whether plain areas are coded as zeros: always where a progressive scan only adds bits, else where the shortest
    codes stand for no change and for the end of a block."""
    if len(header) >= 3 and header[-1] >> 4:
        return True
    direct = all(symbol == 0 for (kind, _), symbol in first.items() if kind == 0)
    other = all(symbol & 15 == 0 and symbol != 0xF0 for (kind, _), symbol in first.items() if kind == 1)
    return direct and other


def _undecodable(data: bytes) -> str | None:
    """Why a decoder that is strict cannot decode a JPEG; None where it can, or does not know its form."""
    import av

    context = av.CodecContext.create("mjpeg", "r")
    context.options = {"err_detect": "explode"}
    try:
        context.decode(av.Packet(data))
    except av.InvalidDataError as error:
        return error.strerror or "invalid data"
    except (av.FFmpegError, NotImplementedError):
        return None
    return None


def _png(data: bytes) -> Iterator[Finding]:
    """ISO/IEC 15948: every chunk has a checksum, the last one is IEND."""
    at = _PNG_START
    for _ in range(_MAX_PNG_CHUNKS):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            yield Finding("truncated", "it ends in the middle of a chunk, or before the chunk IEND", at_byte(len(data)))
            return
        if not kind.isalpha():
            yield Finding("structure", "no chunk begins where the one before it ends", at_byte(at))
            return
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            name = kind.decode("latin-1")
            yield Finding("checksum", f"the checksum of the chunk {name} is not that of its content", at_byte(at))
        if kind == b"IEND":
            return
        at = end


def _gif(data: bytes) -> Iterator[Finding]:
    """GIF89a: blocks of at most 255 bytes, each after its length, up to the trailer."""
    at = 13 + _colours(data[10] if len(data) > 10 else 0)
    while at < len(data) and (kind := data[at]) != 0x3B:
        if kind == 0x2C:
            at += 11 + _colours(data[at + 9] if at + 9 < len(data) else 0)
        elif kind == 0x21:
            at += 2
        else:
            yield Finding("structure", "no block begins where the one before it ends", at_byte(at))
            return
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    if at >= len(data):
        yield Finding("truncated", "it ends before its trailer", at_byte(len(data)))


def _colours(flags: int) -> int:
    """How many bytes a table of colours takes."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(data: bytes) -> Iterator[Finding]:
    """RFC 9649: of a lossy picture the coded pixels, which never hold so many zeros."""
    at = 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        if data[at : at + 4] == b"VP8 " and (zeros := data.find(_HOLLOW, at + 8, at + 8 + length)) >= 0:
            yield Finding("zeros", "zero bytes stand where pixels should", at_byte(zeros))
        at += 8 + length + (length & 1)
