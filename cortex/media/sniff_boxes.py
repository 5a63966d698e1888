"""Which of the many ISO base media files one is: MP4, QuickTime, HEIF, AVIF, Canon's CR3."""

from __future__ import annotations

from cortex.media.isobox import ReadAt, boxes

_BRANDS: dict[bytes, str] = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic-sequence",
    b"hevx": "image/heic-sequence",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"crx ": "image/x-canon-cr3",
    b"jxl ": "image/jxl",
    b"jp2 ": "image/jp2",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"M4P ": "audio/mp4",
    b"F4A ": "audio/mp4",
    b"M4V ": "video/mp4",
}
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp")
_MAX_MOOV = 1024 * 1024


def iso_media(head: bytes, size: int, read_at: ReadAt) -> str | None:
    kind = head[4:8]
    if kind not in _FIRST_BOXES or len(head) < 12:
        return None
    length = int.from_bytes(head[:4], "big")
    if kind != b"ftyp":
        plausible = length == 1 or 8 <= length <= size or head[0] == 0
        return _by_tracks(size, read_at, "video/quicktime") if plausible else None
    major = head[8:12]
    if (mime := _BRANDS.get(major)) is not None:
        return mime
    brands = [head[at : at + 4] for at in range(16, min(length, 128, len(head) - 3), 4)]
    if major in (b"mif1", b"msf1", b"miaf", b"1pic"):
        return next((_BRANDS[brand] for brand in brands if _BRANDS.get(brand, "").startswith("image/")), "image/heif")
    if major.startswith(b"3g"):
        return _by_tracks(size, read_at, "video/3gpp")
    if major == b"qt  ":
        return _by_tracks(size, read_at, "video/quicktime")
    return _by_tracks(size, read_at, "video/mp4")


def _by_tracks(size: int, read_at: ReadAt, video: str) -> str:
    """Audio when there are tracks of sound and none of pictures; else what is given."""
    for box in boxes(read_at, 0, size):
        if box.type == b"moov":
            handlers = _handlers(read_at(box.start, min(box.end - box.start, _MAX_MOOV)))
            if b"soun" in handlers and b"vide" not in handlers:
                return "audio/mp4"
            break
    return video


def _handlers(moov: bytes) -> set[bytes]:
    """The kinds of tracks: the handler type stands 12 bytes after the name of an `hdlr` box."""
    found: set[bytes] = set()
    at = moov.find(b"hdlr")
    while at >= 0 and len(found) < 8:
        found.add(moov[at + 12 : at + 16])
        at = moov.find(b"hdlr", at + 4)
    return found
