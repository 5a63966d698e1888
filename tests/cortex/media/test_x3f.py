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
TOLD = {"CAMMANUF": "SIGMA", "CAMMODEL": "SIGMA DP2", "TIME": "1259413520", "ISO": "100", "APERTURE": "4.5"}


def _properties() -> bytes:
    texts, pairs = "", b""
    for name, value in TOLD.items():
        pairs += struct.pack("<II", len(texts), len(texts) + len(name) + 1)
        texts += f"{name}\0{value}\0"
    head = struct.pack("<4sIIIII", b"SECp", 0x20000, len(TOLD), 0, 0, len(texts))
    return head + pairs + texts.encode("utf-16-le")


def x3f(preview: bytes, version: int = 0x20003) -> bytes:
    """A header, a small preview that is no JPEG, a JPEG, properties, and the directory of all."""
    data = struct.pack("<4sI20xIII", b"FOVb", version, 2640, 1760, 270).ljust(264, b"\0")
    entries = b""
    for kind, section in (
        (b"IMAG", struct.pack("<4s6I", b"SECi", 0x20000, 2, 11, 8, 8, 0) + bytes(100)),
        (b"IMA2", struct.pack("<4s6I", b"SECi", 0x20000, 2, 18, 600, 400, 0) + preview),
        (b"PROP", _properties()),
    ):
        entries += struct.pack("<II4s", len(data), len(section), kind)
        data += section
    return data + struct.pack("<4sII", b"SECd", 0x20000, 3) + entries + struct.pack("<I", len(data))


@pytest.fixture
def preview(media: RealMedia) -> bytes:
    return media.photo(size=(600, 400), plain=True, taken=None, place=None).read_bytes()


def test_what_the_camera_tells(written: Written, preview: bytes) -> None:
    found = run_operator(Metadata(), written(x3f(preview))).outputs
    told = {key: found.get(key) for key in ("format", "width", "height", "camera_model", "captured_at", "iso")}
    assert told == {
        "format": "sigma-x3f",
        "width": 1760,
        "height": 2640,
        "camera_model": "SIGMA DP2",
        "captured_at": "2009-11-28T13:05:20",
        "iso": 100,
    }
    assert found["aperture"] == 4.5


def test_the_preview_is_upright(opened: Opened, written: Written, preview: bytes) -> None:
    assert opened(written(x3f(preview))).image(300).size == (200, 300)


def test_later_versions_have_another_header(opened: Opened, written: Written, preview: bytes) -> None:
    probe = opened(written(x3f(preview, 0x40000))).probe()
    assert (probe.width, probe.height) == (600, 400)


@pytest.mark.parametrize("kept", [8, 100, 3000])
def test_damage(opened: Opened, written: Written, preview: bytes, kept: int) -> None:
    with pytest.raises(LoomError):
        opened(written(x3f(preview)[:kept])).image(300)


@pytest.mark.parametrize("lost", [3, 20])
def test_without_its_directory_the_preview_is_found_by_its_beginning(
    opened: Opened, written: Written, preview: bytes, lost: int
) -> None:
    assert opened(written(x3f(preview)[:-lost])).image(300).size == (200, 300)
