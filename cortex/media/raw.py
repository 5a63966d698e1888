"""Camera raw files: the preview that the camera put in, EXIF, and the maker's note. The sensor's data are not
developed here; `image.develop` does that."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from PIL import Image

from cortex.media import ciff, makernotes, x3f
from cortex.media.exif import directories
from cortex.media.rawtypes import CR3, CRW, MRW, RAF, RW2, RWL, X3F, RawHeader, Size
from cortex.media.tiff import Directory, directory, next_directory
from loom.errors import LoomError

_HEAD = 1024 * 1024
_MAX_PREVIEW = 64 * 1024 * 1024
_MOST_MARKS = 16
_MAX_HEADER = 256 * 1024
_WIDTH, _HEIGHT, _STRIPS, _STRIP_LENGTHS = 0x100, 0x101, 0x111, 0x117
_JPEG_START, _JPEG_LENGTH, _SUB_DIRECTORIES, _JPEG_FROM_RAW = 0x201, 0x202, 0x14A, 0x2E
_SHOWN = (0xA002, 0xA003)
"""EXIF's width and height of the picture as it is shown."""
_PANASONIC_EDGES = (0x04, 0x05, 0x06, 0x07)
_PANASONIC_ISO, _ISO = 0x17, 0x8827
_FUJI_SIZE = 0x111
_LOSSLESS = (0xC3, 0xC7, 0xCB, 0xCF)
_SIZES = range(0xC0, 0xD0)


class RawPreview(NamedTuple):
    """What a raw file tells beside the sensor's data: its largest preview, a JPEG, None where it has none that can be
    decoded; the size of the whole picture where the file tells it; EXIF, and what the maker's note tells."""

    jpeg: bytes | None
    size: Size | None
    exif: dict[Any, Any]
    maker: dict[str, str]

    def open(self) -> BinaryIO:
        """Raises FORMAT_UNSUPPORTED without a preview."""
        if self.jpeg is None:
            raise LoomError("FORMAT_UNSUPPORTED", "the raw file holds no preview that can be decoded")
        return io.BytesIO(self.jpeg)


def preview(opener: Callable[[], BinaryIO], mime: str) -> RawPreview:
    """Raises FILE_DAMAGED for a file that tells nothing."""
    with opener() as file:
        head = file.read(_HEAD)
        far = _FAR_READERS.get(mime)
        header = _READERS.get(mime, _of_tiff)(head) if far is None else far(file)
        jpeg = _largest(file, header.places) or _marked(file, head)
    if jpeg is None and header.size is None and not header.exif:
        raise LoomError("FILE_DAMAGED", "the raw file has no header that can be read")
    return RawPreview(jpeg, header.size, header.exif, header.maker)


def _of_tiff(head: bytes) -> RawHeader:
    found = list(directories_of(head))
    places = [place for entries in found for place in _jpegs(entries)]
    tiff = b"II*\0" + head[4:] if head[:1] == b"I" else b"MM\0*" + head[4:]
    exif = _exif(tiff)
    sizes = [(d[_WIDTH][0], d[_HEIGHT][0]) for d in found if _WIDTH in d and _HEIGHT in d]
    told = _size_of(exif.get("Exif", {}), *_SHOWN)
    return RawHeader(places, max([*sizes, told] if told else sizes, default=None), exif, makernotes.told(tiff))


def _of_panasonic(head: bytes) -> RawHeader:
    """The size is told by the edges of the picture on the sensor; the sensitivity has a tag of its own."""
    header = _of_tiff(head)
    first = next(directories_of(head), {})
    top, left, bottom, right = (first.get(tag, (0,))[0] for tag in _PANASONIC_EDGES)
    size = (right - left, bottom - top) if right > left and bottom > top else header.size
    exif = dict(header.exif)
    if iso := first.get(_PANASONIC_ISO, (0,))[0]:
        exif["Exif"] = {_ISO: iso, **exif.get("Exif", {})}
    return RawHeader(header.places, size, exif, header.maker)


def _of_fuji(head: bytes) -> RawHeader:
    """Offsets at fixed places; EXIF is in the preview. The directory has tags of two bytes, each with its length."""
    if len(head) < 100:
        return RawHeader([], None, {}, {})
    start, length, at = struct.unpack_from(">III", head, 84)
    size: Size | None = None
    count = int.from_bytes(head[at : at + 4], "big")
    at += 4
    for _ in range(min(count, 256)):
        tag, taken = int.from_bytes(head[at : at + 2], "big"), int.from_bytes(head[at + 2 : at + 4], "big")
        if tag == _FUJI_SIZE and at + 8 <= len(head):
            height, width = struct.unpack_from(">HH", head, at + 4)
            size = (width, height)
        at += 4 + taken
    return RawHeader([(start, length)], size, {}, {})


def _of_canon(head: bytes) -> RawHeader:
    """ISO boxes: CMT1 to CMT4 hold the main, EXIF, maker's and GPS directory, each as a TIFF of its own; PRVW and THMB
    a picture."""
    parts = {name: _box(head, name) for name in (b"CMT1", b"CMT2", b"CMT3", b"CMT4")}
    exif = _exif(parts[b"CMT1"])
    below = {"Exif": _exif(parts[b"CMT2"]), "GPS": _exif(parts[b"CMT4"])}
    size = _size_of(exif, _WIDTH, _HEIGHT)
    return RawHeader(list(_canon_previews(head)), size, {**exif, **below}, makernotes.canon(parts[b"CMT3"]))


def _of_minolta(head: bytes) -> RawHeader:
    """Blocks with a name and a length: PRD tells the size, TTW is a TIFF."""
    size: Size | None = None
    header = RawHeader([], None, {}, {})
    at, end = 8, 8 + int.from_bytes(head[4:8], "big")
    while at + 8 <= min(end, len(head)):
        name, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "big")
        block = head[at + 8 : at + 8 + length]
        if name == b"\0PRD" and len(block) >= 16:
            height, width = struct.unpack_from(">HH", block, 12)
            size = (width, height)
        elif name == b"\0TTW":
            header = _of_tiff(block)
        at += 8 + length
    return header._replace(places=[], size=size or header.size)  # places count from the beginning of the block


_READERS: dict[str, Callable[[bytes], RawHeader]] = {
    CR3: _of_canon,
    MRW: _of_minolta,
    RAF: _of_fuji,
    RW2: _of_panasonic,
    RWL: _of_panasonic,
}
_FAR_READERS: dict[str, Callable[[BinaryIO], RawHeader]] = {CRW: ciff.header, X3F: x3f.header}
"""Of kinds whose directory is at the end of the file."""


def _size_of(exif: dict[Any, Any], across: int, down: int) -> Size | None:
    width, height = exif.get(across), exif.get(down)
    return (width, height) if isinstance(width, int) and isinstance(height, int) and width and height else None


def _largest(file: BinaryIO, places: Iterable[tuple[int, int]]) -> bytes | None:
    for start, length in sorted(places, key=lambda place: -place[1]):
        file.seek(start)
        jpeg = file.read(min(length, _MAX_PREVIEW))
        if _pixels(jpeg):
            return jpeg
    return None


def _marked(file: BinaryIO, head: bytes) -> bytes | None:
    """A preview that no directory names, as in the maker's notes of ORF: the largest of those that begin in the head.
    It is taken up to the end of the file; its decoder knows where it ends."""
    best, most, at = None, 0, head.find(b"\xff\xd8\xff")
    for _ in range(_MOST_MARKS):
        if at < 0:
            break
        file.seek(at)
        pixels = _pixels(file.read(_MAX_HEADER))
        if pixels > most:
            best, most = at, pixels
        at = head.find(b"\xff\xd8\xff", at + 3)
    if best is None:
        return None
    file.seek(best)
    return file.read(_MAX_PREVIEW)


def directories_of(head: bytes) -> Iterator[Directory]:
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


def _pixels(jpeg: bytes) -> int:
    """Of a JPEG of the usual kind; 0 for anything else: raw data are often lossless JPEG, which nothing here
    decodes."""
    if not jpeg.startswith(b"\xff\xd8"):
        return 0
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        marker = jpeg[at + 1]
        if marker in _SIZES and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", jpeg, at + 5)
            return 0 if marker in _LOSSLESS else width * height
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return 0


def _box(head: bytes, name: bytes) -> bytes:
    at = head.find(name)
    length = int.from_bytes(head[at - 4 : at], "big") if at >= 4 else 0
    return head[at + 4 : at - 4 + length] if length else b""


def _canon_previews(head: bytes) -> Iterator[tuple[int, int]]:
    """The picture in the box PRVW: 24 bytes of header, the last four of them the length of the JPEG."""
    at = head.find(b"PRVW")
    if at >= 4:
        yield at + 20, int.from_bytes(head[at + 16 : at + 20], "big")
    at = head.find(b"THMB")
    if at >= 4:
        yield at + 20, int.from_bytes(head[at + 12 : at + 16], "big")


def _exif(tiff: bytes) -> dict[Any, Any]:
    exif = Image.Exif()
    try:
        exif.load_from_fp(io.BytesIO(tiff))
        return directories(exif)
    except Exception:  # odd metadata are no reason to lose the picture
        return {}
