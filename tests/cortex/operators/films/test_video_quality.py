from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mediakit.recordings import FilmFormat, write_film
from PIL import Image, ImageFilter
from pydantic import ValidationError
from realmedia import RealMedia

from cortex.operators.films.picture_faults import blur, is_combed
from cortex.operators.films.video_quality import VideoQuality
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

Measured = Callable[..., dict[str, Any]]


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    def measure(frames: list[Image.Image], **options: Any) -> dict[str, Any]:
        film = write_film(tmp_path / "film.mp4", frames, FilmFormat(fps=10))
        return run_operator(VideoQuality(**options), film).outputs

    return measure


@pytest.fixture(scope="module")
def pan(media: RealMedia) -> list[Image.Image]:
    """A camera that pans over a photograph, 4 s at 10 frames a second."""
    whole = media.picture("coffee")
    return [whole.crop((step * 3, step, step * 3 + 400, step + 300)) for step in range(40)]


@pytest.mark.parametrize("name", ["bigbuckbunny", "bikes", "carphone_pristine"])
def test_published_films_are_sound(media: RealMedia, name: str) -> None:
    found = run_operator(VideoQuality(), media.films[name]).outputs
    assert (found["black"], found["frozen"], found["combed"], found["interlaced"]) == (0, 0, 0, 0)
    assert found["blurred"] < 0.3
    assert 0.3 < found["brightness"] < 0.6
    assert found["damaged_packets"] == 0
    assert found["frames"] == {"bigbuckbunny": 132, "bikes": 250, "carphone_pristine": 120}[name]


def test_black(measured: Measured, pan: list[Image.Image]) -> None:
    found = measured([*[Image.new("RGB", (400, 300))] * 40, *pan])
    assert found["black"] == pytest.approx(0.5, abs=0.07)
    assert found["frozen"] == 0
    assert found["brightness"] == pytest.approx(
        float(np.mean([np.asarray(f.convert("L")) for f in pan])) / 510, abs=0.05
    )


def test_all_black(measured: Measured) -> None:
    found = measured([Image.new("RGB", (64, 64))] * 10)
    assert (found["black"], found["blurred"], "blur" in found) == (1, 0, False)


def test_frozen(measured: Measured, pan: list[Image.Image]) -> None:
    """3.5 s of 7.5."""
    frames = [*pan[:20], *[pan[20]] * 35, *pan[20:]]
    assert measured(frames)["frozen"] == pytest.approx(3.5 / 7.5, abs=0.1)
    assert measured(frames, frozen_s=5)["frozen"] == 0


def test_blurred(measured: Measured, pan: list[Image.Image]) -> None:
    sharp = measured(pan)
    soft = measured([frame.filter(ImageFilter.GaussianBlur(3)) for frame in pan])
    assert (sharp["blurred"], soft["blurred"]) == (0, 1)
    assert sharp["blur"] < 0.55 < 0.6 < soft["blur"]
    assert measured(pan, blur=0.1)["blurred"] == 1


def test_woven_half_pictures(measured: Measured, media: RealMedia) -> None:
    whole = np.asarray(media.picture("coffee"))
    moments = [whole[:300, 12 * step : 12 * step + 320] for step in range(20)]
    odd = (np.arange(300) % 2 == 1)[:, None, None]
    woven = [Image.fromarray(np.where(odd, b, a)) for a, b in zip(moments, moments[1:], strict=False)]
    assert measured(woven)["combed"] > 0.8
    assert measured([Image.fromarray(moment) for moment in moments])["combed"] == 0


def test_blur_grows_with_blurring(media: RealMedia) -> None:
    picture = media.picture("chelsea").convert("L")
    found = [blur(np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)))) for radius in (0, 1, 2, 4)]
    assert found == sorted(found)
    assert found[-1] - found[0] > 0.2


@pytest.mark.parametrize("shape", [(1, 1), (5, 400), (9, 9), (64, 64)])
def test_small_and_plain_pictures(shape: tuple[int, int]) -> None:
    plain = np.full(shape, 128, np.uint8)
    assert (blur(plain), is_combed(plain)) == (1.0, False)


def test_damage_is_counted(media: RealMedia, tmp_path: Path) -> None:
    data = bytearray(media.film("h264-silent").read_bytes())
    data[len(data) // 3 : len(data) // 3 + 4000] = bytes(4000)
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    found = run_operator(VideoQuality(), path).outputs
    assert found["damaged_packets"] > 0
    assert 40 < found["frames"] < 48


def test_what_is_skipped_and_refused(media: RealMedia, tmp_path: Path) -> None:
    assert run_operator(VideoQuality(), media.sound("mp3")).state is State.SKIPPED
    path = tmp_path / "film.mp4"
    path.write_bytes(media.film("h264").read_bytes()[:20_000])
    with pytest.raises(LoomError) as caught:
        run_operator(VideoQuality(), path)
    assert caught.value.code == "FILE_TRUNCATED"


@pytest.mark.parametrize("options", [{"blur": 0}, {"blur": 1.1}, {"frozen_s": 0.5}])
def test_options_that_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        VideoQuality(**options)
