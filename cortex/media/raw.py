"""Camera raw files: the preview that the camera put in, and EXIF. The sensor's data are not developed."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from PIL import Image

from cortex.media.exif import directories
from cortex.media.tiff import Directory, directory, next_directory
from loom.errors import LoomError

_TIFF_BASED = frozenset(
    {
        "image/x-canon-cr2",
        "image/x-adobe-dng",
        "image/x-nikon-nef",
        "image/x-sony-arw",
        "image/x-pentax-pef",
        "image/x-samsung-srw",
        "image/x-hasselblad-3fr",
        "image/x-leica-rwl",
        "image/x-phaseone-iiq",
        "image/x-mamiya-mef",
        "image/x-kodak-dcr",
        "image/x-epson-erf",
        "image/x-olympus-orf",
        "image/x-panasonic-rw2",
    }
)
MIMES = _TIFF_BASED | {"image/x-fuji-raf", "image/x-canon-cr3"}

_HEAD = 1024 * 1024
_MAX_PREVIEW = 64 * 1024 * 1024
_WIDTH, _HEIGHT, _STRIPS, _STRIP_LENGTHS = 0x100, 0x101, 0x111, 0x117
_JPEG_START, _JPEG_LENGTH, _SUB_DIRECTORIES, _JPEG_FROM_RAW = 0x201, 0x202, 0x14A, 0x2E
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_SIZES = range(0xC0, 0xD0)


class RawPreview(NamedTuple):
    """A JPEG out of a raw file; `size` is that of the whole picture where the file tells it."""

    jpeg: bytes
    size: tuple[int, int] | None
    exif: dict[Any, Any]

    def open(self) -> BinaryIO:
        return io.BytesIO(self.jpeg)


def preview(opener: Callable[[], BinaryIO], mime: str) -> RawPreview:
    """The largest preview. Raises FORMAT_UNSUPPORTED when the file has none that can be decoded."""
    with opener() as file:
        head = file.read(_HEAD)
        size, exif = None, {}
        if mime == "image/x-fuji-raf":
            places = [struct.unpack_from(">II", head, 84)]
        elif mime == "image/x-canon-cr3":
            places, exif = list(_canon_previews(head)), _canon_exif(head)
        else:
            found = list(_directories(head))
            places = [place for entries in found for place in _jpegs(entries)]
            size = max(((d[_WIDTH][0], d[_HEIGHT][0]) for d in found if _WIDTH in d and _HEIGHT in d), default=None)
            exif = _exif(b"II*\0" + head[4:] if head[:1] == b"I" else b"MM\0*" + head[4:])
        for start, length in sorted(places, key=lambda place: -place[1]):
            file.seek(start)
            jpeg = file.read(min(length, _MAX_PREVIEW))
            if _is_picture(jpeg):
                return RawPreview(jpeg, size, exif)
    raise LoomError("FORMAT_UNSUPPORTED", "the raw file holds no preview that can be decoded")


def _directories(head: bytes) -> Iterator[Directory]:
    """All directories of the chain and those below them."""
    start = int.from_bytes(head[4:8], "little" if head[:1] == b"I" else "big")
    seen: set[int] = set()
    queue = [start]
    while queue and len(seen) < 32:
        start = queue.pop(0)
        if start in seen or not (entries := directory(head, start)):
            continue
        seen.add(start)
        yield entries
        queue += [next_directory(head, start), *entries.get(_SUB_DIRECTORIES, ())]


def _jpegs(entries: Directory) -> Iterator[tuple[int, int]]:
    if _JPEG_START in entries and _JPEG_LENGTH in entries:
        yield entries[_JPEG_START][0], entries[_JPEG_LENGTH][0]
    strips, lengths = entries.get(_STRIPS, ()), entries.get(_STRIP_LENGTHS, ())
    if len(strips) == len(lengths) == 1:
        yield strips[0], lengths[0]
    if len(blob := entries.get(_JPEG_FROM_RAW, ())) == 2:
        yield blob[0], blob[1]


def _is_picture(jpeg: bytes) -> bool:
    """Whether it is a JPEG of the usual kind: raw data are often lossless JPEG, which nothing here decodes."""
    if not jpeg.startswith(b"\xff\xd8"):
        return False
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker in _SIZES and marker not in (0xC4, 0xC8, 0xCC):
            return marker not in _LOSSLESS
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return False


def _canon_previews(head: bytes) -> Iterator[tuple[int, int]]:
    """The picture in the box PRVW: 24 bytes of header, the last four of them the length of the JPEG."""
    at = head.find(b"PRVW")
    if at >= 4:
        yield at + 20, int.from_bytes(head[at + 16 : at + 20], "big")
    at = head.find(b"THMB")
    if at >= 4:
        yield at + 20, int.from_bytes(head[at + 12 : at + 16], "big")


def _canon_exif(head: bytes) -> dict[Any, Any]:
    """The boxes CMT1, CMT2 and CMT4 hold the main, EXIF and GPS directory, each as a TIFF of its own."""
    parts: dict[bytes, dict[Any, Any]] = {}
    for name in (b"CMT1", b"CMT2", b"CMT4"):
        at = head.find(name)
        if at >= 4:
            length = int.from_bytes(head[at - 4 : at], "big")
            parts[name] = _exif(head[at + 4 : at - 4 + length])
    return {**parts.get(b"CMT1", {}), "Exif": parts.get(b"CMT2", {}), "GPS": parts.get(b"CMT4", {})}


def _exif(tiff: bytes) -> dict[Any, Any]:
    exif = Image.Exif()
    try:
        exif.load_from_fp(io.BytesIO(tiff))
        return directories(exif)
    except Exception:  # odd metadata are no reason to lose the picture
        return {}
