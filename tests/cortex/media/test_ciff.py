from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from realmedia import RealMedia

from cortex.media import Media
from cortex.operators import Metadata
from cortex.testing import run_operator
from loom.errors import LoomError

Opened = Callable[..., Media]
Written = Callable[[bytes], Path]
TAKEN = 1_068_485_966


def _heap(values: list[tuple[int, bytes]], before: int = 0) -> bytes:
    """The values of all tags, their directory, and where that begins. `before` bytes stand at the heap's beginning."""
    data, records = bytes(before), b""
    for tag, value in values:
        if tag & 0x4000:
            records += struct.pack("<H8s", tag, value)
        else:
            records += struct.pack("<HII", tag, len(value), len(data))
            data += value
    return data + struct.pack("<H", len(values)) + records + struct.pack("<I", len(data))


def crw(preview: bytes) -> bytes:
    """As Canon's cameras write it: the sensor's data, a preview, and what the camera was set to in heaps below."""
    camera = _heap([(0x080A, b"Canon\0Canon EOS 10D\0")])
    settings = _heap(
        [
            (0x1810, struct.pack("<IIfiIII", 3072, 2048, 1.0, 90, 8, 24, 257)),
            (0x180E, struct.pack("<Iii", TAKEN, 0, 0)),
            (0x1818, struct.pack("<fff", 0.0, 8.0, 6.0)),
            (0x5029, b"\1\2\3\4\5\6\7\x08"),
        ]
    )
    heap = _heap([(0x2005, bytes(5000)), (0x2007, preview), (0x300A, _heap([(0x2807, camera), (0x3002, settings)]))])
    return b"II" + struct.pack("<I", 26) + b"HEAPCCDR" + bytes(12) + heap


@pytest.fixture
def preview(media: RealMedia) -> bytes:
    return media.photo(size=(600, 400), plain=True, taken=None, place=None).read_bytes()


def test_what_the_camera_tells(written: Written, preview: bytes) -> None:
    found = run_operator(Metadata(), written(crw(preview))).outputs
    told = {key: found.get(key) for key in ("format", "width", "height", "camera_make", "camera_model", "captured_at")}
    assert told == {
        "format": "canon-crw",
        "width": 2048,
        "height": 3072,
        "camera_make": "Canon",
        "camera_model": "Canon EOS 10D",
        "captured_at": "2003-11-10T17:39:26",
    }
    assert (found["exposure_s"], found["aperture"]) == (pytest.approx(1 / 256, abs=1e-5), 8.0)


def test_the_preview_is_upright(opened: Opened, written: Written, preview: bytes) -> None:
    assert opened(written(crw(preview))).image(300).size == (200, 300)


@pytest.mark.parametrize("kept", [10, 26, 3000])
def test_damage(opened: Opened, written: Written, preview: bytes, kept: int) -> None:
    with pytest.raises(LoomError):
        opened(written(crw(preview)[:kept])).image(300)


@pytest.mark.parametrize("lost", [3, 20])
def test_without_its_directory_the_preview_is_found_by_its_beginning(
    opened: Opened, written: Written, preview: bytes, lost: int
) -> None:
    assert opened(written(crw(preview)[:-lost])).image(300).size == (300, 200)


def test_a_heap_that_holds_itself_ends(opened: Opened, written: Written) -> None:
    inside = struct.pack("<HHIII", 1, 0x300A, 0, 0, 0)
    data = bytearray(b"II" + struct.pack("<I", 26) + b"HEAPCCDR" + bytes(12) + inside)
    data[30:38] = struct.pack("<II", len(data) - 26, 0)
    with pytest.raises(LoomError, match="no header"):
        opened(written(bytes(data))).probe()
