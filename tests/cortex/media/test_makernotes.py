"""Notes put together as their makers write them."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest
from realmedia import RealMedia

from cortex.media import makernotes
from cortex.operators.metadata.metadata import Metadata
from cortex.testing import run_operator

Entry = tuple[int, int, int, bytes]


def _directory(entries: list[Entry], start: int, order: str = "<") -> bytes:
    """Tag, type, count and value of each; `start` is where it begins, as its offsets count."""
    head, behind = struct.pack(order + "H", len(entries)), b""
    for tag, kind, count, value in entries:
        if len(value) > 4:
            at = start + 6 + 12 * len(entries) + len(behind)
            behind, value = behind + value, struct.pack(order + "I", at)
        head += struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")
    return head + bytes(4) + behind


def _text(tag: int, text: str) -> Entry:
    return tag, 2, len(text) + 1, text.encode() + b"\0"


def _tiff(note: bytes, make: str = "Nobody") -> bytes:
    """A note at offset 200, in the EXIF directory at 100."""
    data = bytearray(200)
    data[:8] = b"II*\0\x08\0\0\0"
    first = _directory([_text(0x10F, make), (0x8769, 4, 1, struct.pack("<I", 100))], 8)
    data[8 : 8 + len(first)] = first
    below = struct.pack("<HHHII", 1, 0x927C, 7, len(note), 200)
    data[100 : 100 + len(below)] = below
    return bytes(data) + note


APPLE = b"Apple iOS\0\0\x01MM" + _directory([_text(0x0B, "BURST-ID"), _text(0x11, "CONTENT-ID")], 14, ">")
NIKON = b"Nikon\0\x02\x10\0\0II*\0\x08\0\0\0" + _directory(
    [(0x84, 5, 4, struct.pack("<8I", 180, 10, 70, 1, 35, 10, 45, 10))], 8
)
NIKON_PRIME = b"Nikon\0\x02\x10\0\0MM\0*\0\0\0\x08" + _directory(
    [(0x84, 5, 4, struct.pack(">8I", 50, 1, 50, 1, 18, 10, 18, 10))], 8, ">"
)
OLYMPUS = (
    b"OLYMPUS\0II\x03\0" + _directory([(0x2010, 13, 1, struct.pack("<I", 40))], 12).ljust(28, b"\0")
    + _directory([_text(0x203, "OLYMPUS M.17mm F1.2")], 40)
)  # fmt: skip
PANASONIC = b"Panasonic\0\0\0" + _directory([_text(0x51, "LUMIX G 20/F1.7")], 212)
CANON = _directory([_text(0x95, "EF24-105mm f/4L IS USM")], 200)


@pytest.mark.parametrize(
    ("note", "make", "wanted"),
    [
        (APPLE, "Apple", {"burst_id": "BURST-ID", "content_id": "CONTENT-ID"}),
        (NIKON, "NIKON CORPORATION", {"lens": "18-70mm f/3.5-4.5"}),
        (NIKON_PRIME, "NIKON CORPORATION", {"lens": "50mm f/1.8"}),
        (OLYMPUS, "OLYMPUS CORPORATION", {"lens": "OLYMPUS M.17mm F1.2"}),
        (PANASONIC, "Panasonic", {"lens": "LUMIX G 20/F1.7"}),
        (CANON, "Canon", {"lens": "EF24-105mm f/4L IS USM"}),
        (CANON, "Nobody", {}),
        (b"", "Canon", {}),
    ],
)
def test_what_notes_tell(note: bytes, make: str, wanted: dict[str, str]) -> None:
    assert makernotes.told(_tiff(note, make)) == wanted


@pytest.mark.parametrize(("note", "make"), [(APPLE, "Apple"), (NIKON, "NIKON"), (OLYMPUS, "OLYMPUS"), (CANON, "Canon")])
def test_damage_costs_only_what_is_damaged(note: bytes, make: str) -> None:
    whole = _tiff(note, make)
    for cut in range(0, len(whole), 3):
        makernotes.told(whole[:cut])
        makernotes.told(whole[:cut] + b"\xff" * (len(whole) - cut))


def test_canons_note_in_a_box_of_its_own() -> None:
    assert makernotes.canon(b"II*\0\x08\0\0\0" + _directory([_text(0x95, "RF50mm F1.2 L USM")], 8)) == {
        "lens": "RF50mm F1.2 L USM"
    }
    assert makernotes.canon(b"") == {}


def test_a_still_and_its_film_tell_the_same_identifier(media: RealMedia, tmp_path: Path) -> None:
    still, film = tmp_path / "still.jpg", tmp_path / "film.mov"
    picture = media.picture("coffee", (120, 80))
    exif = picture.getexif()
    exif[0x10F] = "Apple"
    exif.get_ifd(0x8769)[0x927C] = APPLE + bytes(100)
    picture.save(still, exif=exif)
    with (
        av.open(str(media.film("h264-silent"))) as source,
        av.open(str(film), "w", options={"movflags": "use_metadata_tags"}) as target,
    ):
        target.metadata["com.apple.quicktime.content.identifier"] = "CONTENT-ID"
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    told = [run_operator(Metadata(), path).outputs for path in (still, film)]
    assert [one["content_id"] for one in told] == ["CONTENT-ID", "CONTENT-ID"]
    assert told[0]["burst_id"] == "BURST-ID"
