"""Camera raw files, put together from the parts that cameras write."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from cortex.media import Media
from loom.errors import LoomError

Opened = Callable[..., Media]
Written = Callable[[bytes], Path]


def _jpeg(width: int, height: int, colour: tuple[int, int, int] = (200, 40, 40)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "JPEG")
    return out.getvalue()


def _directory(entries: list[tuple[int, int, int, int]], following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return struct.pack("<H", len(entries)) + body + struct.pack("<I", following)


def _tiff_raw(jpegs: list[bytes], lossless: bytes) -> bytes:
    """A first directory with a maker, a small preview and two directories below: the sensor's data and a preview."""
    start = 1000
    places = []
    for block in [*jpegs, lossless]:
        places.append((start, len(block)))
        start += len(block)
    small, large, sensor = places
    below = [400, 600]
    first = _directory(
        [
            (0xFE, 4, 1, 1),
            (0x10F, 2, 6, 300),
            (0x112, 3, 1, 6),
            (0x14A, 4, 2, 320),
            (0x201, 4, 1, small[0]),
            (0x202, 4, 1, small[1]),
        ]
    )
    data = bytearray(1000)
    data[:8] = b"II*\0\x08\0\0\0"
    data[8 : 8 + len(first)] = first
    data[300:306] = b"NIKON\0"
    data[320:328] = struct.pack("<II", *below)
    for at, (place, size) in zip(below, ((sensor, (6000, 4000)), (large, (600, 400))), strict=True):
        entries = [(0x100, 4, 1, size[0]), (0x101, 4, 1, size[1]), (0x111, 4, 1, place[0]), (0x117, 4, 1, place[1])]
        block = _directory(entries)
        data[at : at + len(block)] = block
    return bytes(data) + b"".join([*jpegs, lossless])


LOSSLESS = b"\xff\xd8\xff\xc3\0\x0b\x0e\x0f\xa0\x17\x70\1\1\x11\0" + bytes(50_000)


def test_the_largest_preview_that_is_no_sensor_data(opened: Opened, written: Written) -> None:
    raw = opened(written(_tiff_raw([_jpeg(160, 120), _jpeg(600, 400)], LOSSLESS)))
    assert raw.mime == "image/x-nikon-nef"
    probe = raw.probe()
    assert (probe.format, probe.width, probe.height, probe.orientation) == ("nikon-nef", 4000, 6000, 6)
    assert probe.exif[0x10F] == "NIKON"
    assert raw.image().size == (400, 600)


def test_fuji(opened: Opened, written: Written) -> None:
    jpeg = _jpeg(300, 200)
    head = bytearray(200)
    head[:20] = b"FUJIFILMCCD-RAW 0201"
    head[84:92] = struct.pack(">II", 200, len(jpeg))
    raw = opened(written(bytes(head) + jpeg))
    assert (raw.mime, raw.image(30).size) == ("image/x-fuji-raf", (30, 20))


def test_canon(opened: Opened, written: Written) -> None:
    jpeg = _jpeg(300, 200)
    main = b"II*\0\x08\0\0\0" + _directory([(0x112, 3, 1, 8)])
    block = struct.pack(">I", 8 + len(main)) + b"CMT1" + main
    preview = (
        struct.pack(">I", 24 + len(jpeg)) + b"PRVW" + bytes(6) + struct.pack(">HHHI", 300, 200, 1, len(jpeg)) + jpeg
    )
    raw = opened(written(b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + block + preview))
    assert raw.probe().orientation == 8
    assert raw.image().size == (200, 300)


@pytest.mark.parametrize("kept", [8, 100, 500, 900])
def test_damage(opened: Opened, written: Written, kept: int) -> None:
    data = _tiff_raw([_jpeg(160, 120), _jpeg(600, 400)], LOSSLESS)
    with pytest.raises(LoomError):
        opened(written(data[:kept])).image()


def test_without_a_preview(opened: Opened, written: Written) -> None:
    data = _tiff_raw([b"x" * 100, b"y" * 100], LOSSLESS)
    with pytest.raises(LoomError, match="no preview") as caught:
        opened(written(data)).image()
    assert caught.value.code == "FORMAT_UNSUPPORTED"


def test_a_preview_that_no_directory_names(opened: Opened, written: Written) -> None:
    """As in the maker's notes of ORF."""
    data = _tiff_raw([b"x" * 100, b"y" * 100], LOSSLESS)
    raw = opened(written(data + b"junk" + _jpeg(160, 120) + b"junk" + _jpeg(320, 240) + bytes(500)))
    assert raw.image().size == (240, 320)


def test_metadata_are_told_without_a_preview(opened: Opened, written: Written) -> None:
    raw = opened(written(_tiff_raw([b"x" * 100, b"y" * 100], LOSSLESS)))
    probe = raw.probe()
    assert (probe.width, probe.height, probe.orientation, probe.exif[0x10F]) == (4000, 6000, 6, "NIKON")


def test_panasonic_tells_size_and_sensitivity_in_its_own_way(opened: Opened, written: Written) -> None:
    jpeg = _jpeg(320, 240)
    edges = [(4, 3, 1, 6), (5, 3, 1, 8), (6, 3, 1, 2742), (7, 3, 1, 3656)]
    entries = [*edges, (0x17, 3, 1, 80), (0x2E, 7, len(jpeg), 500)]
    head = (b"IIU\0\x08\0\0\0" + _directory(entries)).ljust(500, b"\0")
    probe = opened(written(head + jpeg)).probe()
    assert (probe.format, probe.width, probe.height, probe.exif["Exif"][0x8827]) == ("panasonic-rw2", 3648, 2736, 80)


def test_fuji_tells_the_size_in_a_directory_of_its_own(opened: Opened, written: Written) -> None:
    jpeg = _jpeg(300, 200)
    head = bytearray(200)
    head[:20] = b"FUJIFILMCCD-RAW 0201"
    head[84:96] = struct.pack(">III", 200, len(jpeg), 120)
    head[120:136] = struct.pack(">IHHHHHH", 2, 0x100, 0, 0x111, 4, 4000, 6000)
    probe = opened(written(bytes(head) + jpeg)).probe()
    assert (probe.width, probe.height) == (6000, 4000)


def test_minolta_has_a_tiff_in_a_block(opened: Opened, written: Written) -> None:
    sizes = b"\0PRD" + struct.pack(">I8s4H8x", 24, b"27200001", 2456, 3272, 2448, 3264)
    tiff = b"II*\0\x08\0\0\0" + _directory([(0x10F, 2, 8, 40), (0x112, 3, 1, 6)])
    tiff = tiff.ljust(40, b"\0") + b"Minolta\0"
    block = b"\0TTW" + struct.pack(">I", len(tiff)) + tiff
    head = b"\0MRM" + struct.pack(">I", len(sizes) + len(block)) + sizes + block
    raw = opened(written(head + bytes(100) + _jpeg(640, 480) + bytes(100)))
    probe = raw.probe()
    assert (probe.format, probe.width, probe.height, probe.exif[0x10F]) == ("minolta-mrw", 2448, 3264, "Minolta")
    assert raw.image().size == (480, 640)


def test_leica_writes_as_panasonic_does(opened: Opened, written: Written) -> None:
    jpeg = _jpeg(320, 240)
    edges = [(4, 3, 1, 6), (5, 3, 1, 8), (6, 3, 1, 2742), (7, 3, 1, 3656)]
    entries = [*edges, (0x2E, 7, len(jpeg), 500), (0x10F, 2, 6, 480)]
    head = (b"IIU\0\x08\0\0\0" + _directory(entries)).ljust(480, b"\0") + b"LEICA\0"
    probe = opened(written(head.ljust(500, b"\0") + jpeg)).probe()
    assert (probe.format, probe.width, probe.height) == ("leica-rwl", 3648, 2736)
