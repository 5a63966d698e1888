"""What makers write into EXIF's maker note, which has no standard: the lens, and what belongs together.

The places of tags are those that ExifTool documents at exiftool.org/TagNames: Apple, Canon, Nikon, Olympus, Panasonic.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from cortex.media.tiff import Directory, directory, text_value

_MAKE, _EXIF, _NOTE = 0x10F, 0x8769, 0x927C
_APPLE = {"burst_id": 0x0B, "content_id": 0x11}
_CANON_LENS, _PANASONIC_LENS, _NIKON_LENS = 0x95, 0x51, 0x84
_OLYMPUS_EQUIPMENT, _OLYMPUS_LENS = 0x2010, 0x203
_MOST = 200


class Note(NamedTuple):
    """`data` holds the note; the offsets in it count from the beginning of `data`, where a TIFF header stands that
    tells the order of bytes. `start` is where its directory begins."""

    data: bytes
    start: int

    @property
    def entries(self) -> Directory:
        return directory(self.data, self.start)

    def text(self, tag: int) -> str:
        return text_value(self.data, self.entries, tag)[:_MOST]


def told(tiff: bytes) -> dict[str, str]:
    """Of the bytes of a file or block that begin with a TIFF header: `lens`, Apple's `content_id` (the same in a still
    and the film that belongs to it) and `burst_id`, as far as they are there."""
    first = directory(tiff, int.from_bytes(tiff[4:8], "little" if tiff[:1] == b"I" else "big"))
    at, length = (*directory(tiff, first.get(_EXIF, (0,))[0]).get(_NOTE, (0, 0)), 0)[:2]
    note = tiff[at : at + length]
    if note.startswith(b"Apple iOS\0"):
        apple = Note(_headed(note, note[12:14]), 14)
        found = {name: apple.text(tag) for name, tag in _APPLE.items()}
    elif note.startswith(b"Nikon\0\x02"):
        found = {"lens": _nikon_lens(note[10:])}
    elif note.startswith((b"OLYMPUS\0", b"OM SYSTEM\0\0\0")):
        found = {"lens": _olympus_lens(note)}
    elif note.startswith(b"Panasonic\0\0\0"):
        found = {"lens": Note(tiff, at + 12).text(_PANASONIC_LENS)}
    elif text_value(tiff, first, _MAKE) == "Canon":
        found = {"lens": Note(tiff, at).text(_CANON_LENS)}
    else:
        return {}
    return {name: text for name, text in found.items() if text.isprintable() and text}


def canon(tiff: bytes) -> dict[str, str]:
    """Of a Canon note that is a TIFF of its own, as in CR3."""
    lens = Note(tiff, int.from_bytes(tiff[4:8], "little" if tiff[:1] == b"I" else "big")).text(_CANON_LENS)
    return {"lens": lens} if lens.isprintable() and lens else {}


def _headed(note: bytes, order: bytes) -> bytes:
    """The note with its order of bytes at its beginning, where a TIFF has it."""
    return order + note[2:]


def _nikon_lens(tiff: bytes) -> str:
    """Of the shortest and longest focal length, and the largest apertures at both, such as `18-55mm f/3.5-5.6`."""
    note = Note(tiff, int.from_bytes(tiff[4:8], "little" if tiff[:1] == b"I" else "big"))
    at, count = (*note.entries.get(_NIKON_LENS, (0, 0)), 0)[:2]
    if count != 4 or at + 32 > len(tiff):
        return ""
    parts = struct.unpack_from(("<" if tiff[:1] == b"I" else ">") + "8I", tiff, at)
    if not all(parts):
        return ""
    near, far, wide, tele = (f"{parts[i] / parts[i + 1]:.3g}" for i in range(0, 8, 2))
    focal = near if near == far else f"{near}-{far}"
    aperture = wide if wide == tele else f"{wide}-{tele}"
    return f"{focal}mm f/{aperture}"


def _olympus_lens(note: bytes) -> str:
    at = 16 if note.startswith(b"OM SYSTEM") else 12
    order = note[at - 4 : at - 2]
    equipment = Note(_headed(note, order), at).entries.get(_OLYMPUS_EQUIPMENT, (0,))[0]
    return Note(_headed(note, order), equipment).text(_OLYMPUS_LENS)
