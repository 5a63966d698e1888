from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter
from pydantic import ValidationError
from realmedia import VARIANTS, RealMedia

from cortex.operators.pictures.image_quality import ImageQuality
from cortex.operators.pictures.picture_measures import contrast, noise, sharpness
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

Measured = Callable[[Image.Image], dict[str, Any]]
PHOTOS = ["astronaut", "chelsea", "coffee", "rocket"]


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    """What the operator says of a picture, written without losses."""

    def measure(picture: Image.Image) -> dict[str, Any]:
        path = tmp_path / "picture.png"
        picture.save(path)
        return run_operator(ImageQuality(size=1024), path).outputs

    return measure


def _noisy(picture: Image.Image, sigma: float) -> Image.Image:
    random = np.random.RandomState(7)
    grain = random.normal(0, sigma, (picture.height, picture.width, 1))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def _lit(picture: Image.Image, by: float) -> Image.Image:
    return picture.point(lambda value: min(round(value * by), 255))


@pytest.mark.parametrize("name", PHOTOS)
def test_blur_lowers_sharpness(media: RealMedia, measured: Measured, name: str) -> None:
    picture = media.picture(name)
    seen = [measured(picture.filter(ImageFilter.GaussianBlur(radius))) for radius in (0, 1, 2, 4)]
    values = [one["sharpness"] for one in seen]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.68
    assert values[3] < 0.3
    assert seen[0]["quality"] > 0.9
    assert seen[3]["quality"] < 0.2


@pytest.mark.parametrize("name", PHOTOS)
def test_noise_is_measured_as_it_was_added(media: RealMedia, measured: Measured, name: str) -> None:
    picture = media.picture(name)
    clean = measured(picture)
    assert clean["noise"] < 0.06
    for sigma in (4, 10):
        seen = measured(_noisy(picture, sigma))
        assert seen["noise"] == pytest.approx(sigma / 25.5, rel=0.15)
        assert seen["quality"] < clean["quality"]


@pytest.mark.parametrize("name", PHOTOS)
def test_exposure_shows_in_brightness_and_clipping(media: RealMedia, measured: Measured, name: str) -> None:
    picture = media.picture(name)
    under, right, over = (measured(_lit(picture, by)) for by in (0.05, 1, 6))
    assert under["brightness"] < right["brightness"] < over["brightness"]
    assert under["clipped_shadows"] > right["clipped_shadows"]
    assert over["clipped_highlights"] > right["clipped_highlights"] + 0.05
    assert under["contrast"] < right["contrast"]
    assert max(under["quality"], over["quality"]) < right["quality"]


def test_a_sharp_subject_before_a_soft_ground_is_sharp(media: RealMedia, measured: Measured) -> None:
    picture = media.picture("astronaut")
    soft = picture.filter(ImageFilter.GaussianBlur(6))
    soft.paste(picture.crop((128, 0, 320, 256)), (128, 0))
    assert measured(soft)["sharpness"] > 0.6


def test_noise_is_no_sharpness_where_nothing_is_seen(media: RealMedia, measured: Measured) -> None:
    blurred = media.picture("chelsea").filter(ImageFilter.GaussianBlur(12))
    assert measured(_noisy(blurred, 10))["sharpness"] == 0
    plain = measured(Image.new("RGB", (300, 200), (90, 120, 60)))
    assert (plain["sharpness"], plain["noise"], plain["contrast"], plain["quality"]) == (0, 0, 0, 0)


def test_black_and_white_pictures(measured: Measured) -> None:
    black, white = (measured(Image.new("RGB", (80, 80), shade)) for shade in ("black", "white"))
    assert (black["clipped_shadows"], black["brightness"], black["quality"]) == (1, 0, 0)
    assert (white["clipped_highlights"], white["brightness"], white["quality"]) == (1, 1, 0)


def test_the_size_is_what_is_measured(media: RealMedia) -> None:
    """A large photo that is unsharp in its own pixels is sharp when it is looked at smaller."""
    photo = media.photo("coffee", size=(2400, 1600))
    large, small = (run_operator(ImageQuality(size=size), photo).outputs["sharpness"] for size in (2400, 300))
    assert large + 0.15 < small
    assert small > 0.75


def test_a_photo_is_measured_upright_and_the_same_each_time(media: RealMedia) -> None:
    upright, turned = (run_operator(ImageQuality(), media.photo(orientation=turn)).outputs for turn in (1, 6))
    assert upright == run_operator(ImageQuality(), media.photo()).outputs
    assert upright == pytest.approx(turned, abs=0.03)


@pytest.mark.parametrize("name", VARIANTS)
def test_every_format_is_measured(media: RealMedia, name: str) -> None:
    outputs = run_operator(ImageQuality(), media.variant(name)).outputs
    assert all(0 <= value <= 1 for value in outputs.values())
    assert outputs["brightness"] == pytest.approx(0.72 if name == "png-alpha" else 0.47, abs=0.06)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 500), (31, 31), (34, 34), (40, 33), (65, 700)])
def test_tiny_and_narrow_pictures(measured: Measured, width: int, height: int) -> None:
    grain = np.random.RandomState(1).randint(0, 255, (height, width, 3)).astype(np.uint8)
    assert all(0 <= value <= 1 for value in measured(Image.fromarray(grain)).values())


def test_measures_of_made_up_pictures() -> None:
    flat = np.full((128, 128), 128, np.uint8)
    grain = np.random.RandomState(3).normal(128, 12, (256, 256)).clip(0, 255).astype(np.uint8)
    edges = np.tile(np.repeat(np.array([40, 200], np.uint8), 16), (128, 8))
    assert (noise(flat), sharpness(flat, 0), contrast(Image.fromarray(flat))) == (0, 0, 0)
    assert noise(grain) == pytest.approx(12, rel=0.1)
    assert noise(edges) == 0, "vertical edges are none"
    assert sharpness(edges, 0) > 0.85
    assert contrast(Image.fromarray(edges)) == pytest.approx(160 / 255)


def test_broken_files(broken_files: list[Path]) -> None:
    codes = []
    for path in broken_files:
        try:
            state = run_operator(ImageQuality(), path).state
            assert state is State.SKIPPED
        except LoomError as error:
            codes.append(error.code)
    assert set(codes) <= {"FILE_TRUNCATED", "FILE_DAMAGED"}
    assert len(codes) >= 1


def test_what_is_no_picture_is_skipped(media: RealMedia, tmp_path: Path) -> None:
    drawing = tmp_path / "drawing.svg"
    drawing.write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    for path in (drawing, media.film("h264"), media.sound("flac"), media.paper("pdf")):
        assert run_operator(ImageQuality(), path).state is State.SKIPPED


@pytest.mark.parametrize("options", [{"size": 63}, {"size": 5000}, {"sharpness": 1}])
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ImageQuality(**options)
