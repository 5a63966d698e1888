"""Raw files developed: the picture that comes out is the one that the sensor saw."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from ingests import carry_out, definition, loom_in
from PIL import Image
from programs import age
from rawfiles import write_dng
from realmedia import RealMedia

from cortex.operators.pictures import raw_light
from cortex.operators.pictures.raw_develop import Develop
from cortex.testing import run_operator
from loom.errors import LoomError

SIZE = (600, 400)


@pytest.fixture
def cup(media: RealMedia, tmp_path: Path) -> Path:
    return write_dng(tmp_path / "cup.dng", media.picture("coffee", SIZE))


@pytest.fixture
def cat(media: RealMedia, tmp_path: Path) -> Path:
    """Taken with the camera turned, so that it stands upright after a quarter turn."""
    return write_dng(tmp_path / "cat.dng", media.picture("chelsea", SIZE), orientation=6)


def _apart(data: bytes, wanted: Image.Image) -> float:
    """The mean difference of the pixels, 0 to 255."""
    with Image.open(io.BytesIO(data)) as image:
        got = np.asarray(image.convert("RGB"), float)
    return float(np.abs(got - np.asarray(wanted.resize(got.shape[1::-1], Image.Resampling.BOX), float)).mean())


def test_half_the_size_looks_as_the_scene_did(cup: Path, media: RealMedia) -> None:
    run = run_operator(Develop(brighten=False), cup)
    developed = run.artifact("developed")
    assert {**run.outputs} == {"width": 300, "height": 200, "media_type": "image/jpeg", "bytes": len(developed.data)}
    assert developed.media_type == "image/jpeg"
    assert _apart(developed.data, media.picture("coffee", SIZE)) < 5


def test_the_full_size_is_upright_and_has_sixteen_bits_as_tiff(cat: Path, media: RealMedia) -> None:
    options = {"size": "full", "brighten": False}
    tiff = run_operator(Develop(format="tiff", **options), cat).artifact("developed")
    upright = media.picture("chelsea", SIZE).transpose(Image.Transpose.ROTATE_270)
    assert _apart(tiff.data, upright) < 6
    pixels = cv2.imdecode(np.frombuffer(tiff.data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert (pixels.shape, pixels.dtype) == ((600, 400, 3), np.uint16)
    assert len(np.unique(pixels)) > 2000
    webp = run_operator(Develop(format="webp", **options), cat).artifact("developed")
    with Image.open(io.BytesIO(webp.data)) as image:
        assert (image.format, image.size) == ("WEBP", (400, 600))
    shrunk = (pixels[:, :, ::-1] / 257.0).round()
    with Image.open(io.BytesIO(webp.data)) as image:
        assert np.abs(np.asarray(image.convert("RGB"), float) - shrunk).mean() < 4


def test_white_balance_and_brightness_are_chosen(cup: Path) -> None:
    made = {
        run_operator(Develop(**options), cup).artifact("developed").data
        for options in ({}, {"brighten": False}, {"white_balance": "auto", "brighten": False})
    }
    assert len(made) == 3


def test_other_pictures_are_left_alone(media: RealMedia) -> None:
    for path in (media.photo(), media.variant("tiff"), media.film("h264")):
        assert run_operator(Develop(), path).state == "SKIPPED"


def _cut(data: bytes) -> bytes:
    return data[:-1000]


def _blank(data: bytes) -> bytes:
    """Its end was never written."""
    return data[:-100_000] + bytes(100_000)


def _unknown(data: bytes) -> bytes:
    """Of a way of compression that there is not."""
    return data.replace(struct.pack("<HHII", 259, 3, 1, 1), struct.pack("<HHII", 259, 3, 1, 32_589))


@pytest.mark.parametrize(
    ("damage", "codes"),
    [(_cut, {"FILE_TRUNCATED"}), (_blank, {"FILE_TRUNCATED"}), (_unknown, {"FORMAT_UNSUPPORTED", "FILE_DAMAGED"})],
)
def test_broken_ones(cup: Path, damage: Callable[[bytes], bytes], codes: set[str]) -> None:
    broken = damage(cup.read_bytes())
    assert broken != cup.read_bytes()
    cup.write_bytes(broken)
    with pytest.raises(LoomError) as refused:
        run_operator(Develop(), cup)
    assert refused.value.code in codes


def test_what_would_take_too_much_memory_is_refused(cup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_light, "MOST_BYTES", 69_500_000)
    assert run_operator(Develop(), cup).outputs["width"] == 300
    with pytest.raises(LoomError, match="600 x 400 pixels would take 68 MiB") as refused:
        run_operator(Develop(size="full", format="tiff"), cup)
    assert refused.value.code == "FILE_TOO_LARGE"


def test_it_works_where_nothing_else_is_allowed(cup: Path, cat: Path, tmp_path: Path) -> None:
    """In the worker processes of an ingest."""
    folder = tmp_path / "library"
    folder.mkdir()
    for path in (cup, cat):
        path.rename(folder / path.name)
    (folder / "cut.dng").write_bytes((folder / cup.name).read_bytes()[:-100])
    age(folder)
    with loom_in(tmp_path / "data") as loom:
        told = carry_out(loom, folder, definition("raw", {"id": "raw", "operator": "image.develop"}))
        assert told.assets["completed"] == 2
        (width,) = {
            result.outputs["width"]
            for asset in loom.assets().items
            for result in loom.asset_results(asset.uuid)
            if result.outputs.get("height") == 200
        }
        assert width == 300
