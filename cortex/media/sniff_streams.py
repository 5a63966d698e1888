"""Containers of sound and video other than ISO base media."""

from __future__ import annotations

from collections.abc import Callable

from cortex.media.ebml import elements

ReadAt = Callable[[int, int], bytes]

_ASF_VIDEO = bytes.fromhex("c0ef19bc4d5bcf11a8fd00805f5c442b")
_RIFF = {b"WAVE": "audio/x-wav", b"AVI ": "video/x-msvideo", b"WEBP": "image/webp", b"RMID": "audio/midi"}
_IFF = {b"AIFF": "audio/aiff", b"AIFC": "audio/aiff", b"8SVX": "audio/x-8svx", b"ILBM": "image/x-ilbm"}
_OGG_VIDEO = (b"\x80theora", b"OVP80", b"BBCD\0", b"\x80daala", b"\1video\0")
_EBML_DOC_TYPE = 0x4282
_SEGMENT, _TRACKS, _TRACK_ENTRY, _TRACK_TYPE, _CLUSTER = 0x18538067, 0x1654AE6B, 0xAE, 0x83, 0x1F43B675
_BIT_RATES = {  # kbit/s by (MPEG-1, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES = (44100, 48000, 32000)


def riff(head: bytes, size: int, read_at: ReadAt) -> str | None:
    return _RIFF.get(head[8:12])


def iff(head: bytes, size: int, read_at: ReadAt) -> str | None:
    return _IFF.get(head[8:12])


def ogg(head: bytes, size: int, read_at: ReadAt) -> str:
    """The first pages of the streams in an Ogg file (RFC 3533) carry the flag 2 and say what they hold."""
    at = 0
    while at + 27 < len(head) and head.startswith(b"OggS", at) and head[at + 5] & 2:
        segments = head[at + 26]
        start = at + 27 + segments
        if head.startswith(_OGG_VIDEO, start):
            return "video/ogg"
        at = start + sum(head[at + 27 : start])
    return "audio/ogg"


def matroska(head: bytes, size: int, read_at: ReadAt) -> str | None:
    header = next(iter(elements(head, 0, len(head))), None)
    if header is None:
        return None
    doc_type = next(
        (head[e.start : e.end] for e in elements(head, header.start, header.end) if e.id == _EBML_DOC_TYPE), b""
    )
    name = {b"webm": "webm", b"matroska": "x-matroska"}.get(doc_type.rstrip(b"\0"))
    if name is None:
        return None
    kinds = _track_types(head, header.end)
    return f"audio/{name}" if 2 in kinds and 1 not in kinds else f"video/{name}"


def _track_types(head: bytes, start: int) -> set[int]:
    """Types of the tracks that are listed within the head: 1 is video, 2 audio."""
    for segment in elements(head, start, len(head)):
        if segment.id != _SEGMENT:
            continue
        for part in elements(head, segment.start, segment.end):
            if part.id == _CLUSTER:
                break
            if part.id == _TRACKS:
                entries = [e for e in elements(head, part.start, part.end) if e.id == _TRACK_ENTRY]
                fields = [f for e in entries for f in elements(head, e.start, e.end) if f.id == _TRACK_TYPE]
                return {int.from_bytes(head[f.start : f.end], "big") for f in fields}
    return set()


def amr(head: bytes, size: int, read_at: ReadAt) -> str | None:
    """The first line of RFC 4867, which may name a variant."""
    return "audio/amr" if head.startswith((b"#!AMR\n", b"#!AMR-WB\n", b"#!AMR_MC1.0\n", b"#!AMR-WB_MC1.0\n")) else None


def asf(head: bytes, size: int, read_at: ReadAt) -> str:
    return "video/x-ms-wmv" if _ASF_VIDEO in head else "audio/x-ms-wma"


def transport(head: bytes, size: int, read_at: ReadAt) -> str | None:
    """MPEG-2 transport stream: a packet of 188 (or 204) bytes each, all starting with 0x47."""
    for packet in (188, 204):
        if len(head) > 4 * packet and all(head[at] == 0x47 for at in range(0, 5 * packet, packet) if at < len(head)):
            return "video/mp2t"
    return None


def blu_ray(head: bytes, size: int, read_at: ReadAt) -> str | None:
    """Transport stream with a time code of four bytes before each packet."""
    if len(head) > 4 + 4 * 192 and all(head[at] == 0x47 for at in range(4, 4 + 5 * 192, 192) if at < len(head)):
        return "video/mp2t"
    return None


def tagged(head: bytes, size: int, read_at: ReadAt) -> str:
    """What follows an ID3v2 tag, which FLAC and AAC may have too."""
    if len(head) < 10:
        return "audio/mpeg"
    a, b, c, d = head[6:10]
    after = 10 + (a << 21 | b << 14 | c << 7 | d) + (10 if head[5] & 0x10 else 0)
    start = head[after : after + 4] if after + 4 <= len(head) else read_at(after, 4)
    if start == b"fLaC":
        return "audio/flac"
    return "audio/aac" if len(start) == 4 and _is_adts(start) else "audio/mpeg"


def _is_adts(start: bytes) -> bool:
    return start[0] == 0xFF and start[1] & 0xF6 == 0xF0


def mpeg_audio(head: bytes, size: int, read_at: ReadAt) -> str | None:
    """Bare MPEG audio: a frame header (ISO/IEC 11172-3) and another where it says that the next one is."""
    if len(head) < 8:
        return None
    if _is_adts(head):
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        follows = head[length : length + 2]
        return "audio/aac" if length > 7 and (len(follows) < 2 or _is_adts(follows)) else None
    frame = _mpeg_frame(head[:4])
    if frame is None:
        return None
    follows = head[frame : frame + 4]
    # Required, since UTF-16 text may well begin like one frame.
    return "audio/mpeg" if len(follows) == 4 and _mpeg_frame(follows) is not None else None


def _mpeg_frame(header: bytes) -> int | None:
    """The length in bytes of the frame that a header announces; None when it is none."""
    if header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    rate, sampling, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or layer == 4 or rate in (0, 15) or sampling == 3:
        return None
    first = version == 3
    bits = _BIT_RATES[first, layer][rate] * 1000
    hertz = _SAMPLE_RATES[sampling] // {3: 1, 2: 2, 0: 4}[version]
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (144 if first or layer == 2 else 72) * bits // hertz + padding
