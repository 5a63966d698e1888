from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mediakit.recordings import FilmFormat, write_film
from PIL import Image, ImageEnhance
from pydantic import ValidationError
from realmedia import RealMedia

from cortex.operators.films.scenes import Scenes
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import State

Filmed = Callable[[list[Image.Image]], Path]


@pytest.fixture
def filmed(tmp_path: Path) -> Filmed:
    return lambda frames: write_film(tmp_path / "film.mp4", frames, FilmFormat(gop=250))


@pytest.fixture(scope="module")
def meadow(media: RealMedia) -> list[Image.Image]:
    return media.frames(40)


@pytest.fixture(scope="module")
def cat(media: RealMedia) -> list[Image.Image]:
    """A camera that pans slowly over a photograph."""
    whole = media.picture("chelsea", (400, 260))
    return [whole.crop((step, step // 2, step + 320, step // 2 + 180)) for step in range(40)]


def _starts(run: OperatorRun) -> list[tuple[int, str]]:
    return [(scene["start_frame"], scene["begins"]) for scene in run.outputs["scenes"]]


def test_the_cuts_of_a_published_film(media: RealMedia) -> None:
    run = run_operator(Scenes(), media.films["bikes"])
    assert [start for start, _ in _starts(run)] == [0, 30, 76, 137, 187, 242]
    assert (run.outputs["count"], run.outputs["frames"], run.outputs["duration_s"]) == (6, 250, 10.0)
    scenes = run.outputs["scenes"]
    assert [scene["start_s"] for scene in scenes] == pytest.approx([n / 25 for n in (0, 30, 76, 137, 187, 242)])
    assert [scene["end_s"] for scene in scenes[:-1]] == [scene["start_s"] for scene in scenes[1:]]
    assert (scenes[-1]["end_s"], scenes[-1]["end_frame"]) == (10.0, 250)


def test_a_published_film_of_one_moving_shot(media: RealMedia) -> None:
    assert _starts(run_operator(Scenes(), media.films["bigbuckbunny"])) == [(0, "start")]


def test_a_picture_of_each_scene(media: RealMedia) -> None:
    run = run_operator(Scenes(picture_size=160), media.films["bikes"])
    assert [artifact.name for artifact in run.artifacts] == [f"scene-{n:04}" for n in range(1, 7)]
    for artifact in run.artifacts:
        assert artifact.media_type == "image/jpeg"
        assert Image.open(io.BytesIO(artifact.data)).size == (160, 68)


def test_a_picture_is_of_its_scene(filmed: Filmed, meadow: list[Image.Image], cat: list[Image.Image]) -> None:
    run = run_operator(Scenes(picture_size=320), filmed([*meadow, *cat]))
    assert _starts(run) == [(0, "start"), (40, "cut")]
    for artifact, frames in zip(run.artifacts, (meadow, cat), strict=True):
        shown = np.asarray(Image.open(io.BytesIO(artifact.data))).astype(int)
        away = [float(np.abs(shown - np.asarray(frame)).mean()) for frame in frames]
        assert min(away) < 6
        assert 8 <= int(np.argmin(away)) <= 24, "not from the edges"


def test_the_longest_scenes_get_the_pictures(media: RealMedia) -> None:
    run = run_operator(Scenes(pictures=2), media.films["bikes"])
    assert [artifact.name for artifact in run.artifacts] == ["scene-0003", "scene-0005"]
    assert run.outputs["count"] == 6
    assert run_operator(Scenes(pictures=0), media.films["bikes"]).artifacts == ()


@pytest.mark.parametrize("colour", ["black", "white"])
def test_a_fade(filmed: Filmed, meadow: list[Image.Image], cat: list[Image.Image], colour: str) -> None:
    plain = Image.new("RGB", (320, 180), colour)
    out = [Image.blend(frame, plain, (n + 1) / 12) for n, frame in enumerate(meadow[-12:])]
    back = [Image.blend(plain, frame, (n + 1) / 12) for n, frame in enumerate(cat[:12])]
    run = run_operator(Scenes(), filmed([*meadow[:-12], *out, *[plain] * 9, *back, *cat[12:]]))
    (_, (start, begins)) = _starts(run)
    assert begins == "fade"
    assert start == pytest.approx(44, abs=3)


def test_black_at_the_ends_is_no_scene(filmed: Filmed, meadow: list[Image.Image]) -> None:
    black = [Image.new("RGB", (320, 180))] * 20
    run = run_operator(Scenes(), filmed([*black, *meadow, *black]))
    assert _starts(run) == [(0, "start")]


@pytest.mark.parametrize("flash", [Image.new("RGB", (320, 180), "white"), None])
def test_a_flash_is_no_cut(filmed: Filmed, cat: list[Image.Image], flash: Image.Image | None) -> None:
    lit = flash or ImageEnhance.Brightness(cat[20]).enhance(2.5)
    assert _starts(run_operator(Scenes(), filmed([*cat[:20], lit, *cat[21:]]))) == [(0, "start")]


def test_fast_motion_is_no_cut(filmed: Filmed, media: RealMedia) -> None:
    wide = media.picture("coffee", (1800, 180))
    frames = [wide.crop((step * 30, 0, step * 30 + 320, 180)) for step in range(48)]
    assert _starts(run_operator(Scenes(), filmed(frames))) == [(0, "start")]


def test_short_scenes_are_joined(media: RealMedia) -> None:
    run = run_operator(Scenes(min_scene_s=2.2), media.films["bikes"])
    assert [start for start, _ in _starts(run)] == [0, 76, 137, 242]


def test_the_options_decide(media: RealMedia) -> None:
    assert run_operator(Scenes(threshold=63), media.films["bikes"]).outputs["count"] == 5
    assert run_operator(Scenes(ratio=100), media.films["bikes"]).outputs["count"] == 1


def test_a_film_of_one_frame(filmed: Filmed, meadow: list[Image.Image]) -> None:
    run = run_operator(Scenes(), filmed(meadow[:1]))
    assert (_starts(run), run.outputs["frames"], len(run.artifacts)) == ([(0, "start")], 1, 1)


def test_a_damaged_film_is_divided_as_far_as_it_goes(media: RealMedia, tmp_path: Path) -> None:
    data = bytearray(media.films["bikes"].read_bytes())
    start = len(data) // 2
    data[start : start + 20000] = bytes(20000)
    path = tmp_path / "film"
    path.write_bytes(data)
    run = run_operator(Scenes(), path)
    assert run.outputs["count"] >= 4
    assert run.outputs["frames"] <= 250


@pytest.mark.parametrize(("share", "code"), [(0.0, "FILE_EMPTY"), (0.5, "FILE_TRUNCATED")])
def test_files_that_are_refused(media: RealMedia, tmp_path: Path, share: float, code: str) -> None:
    data = media.film("h264").read_bytes()
    path = tmp_path / "film.mp4"
    path.write_bytes(data[: int(len(data) * share)])
    if code == "FILE_EMPTY":
        assert run_operator(Scenes(), path).state is State.SKIPPED
        return
    with pytest.raises(LoomError) as caught:
        run_operator(Scenes(), path)
    assert caught.value.code == code


def test_other_kinds_are_skipped(media: RealMedia) -> None:
    for path in (media.photo(), media.sound("mp3"), media.paper("pdf")):
        assert run_operator(Scenes(), path).state is State.SKIPPED


@pytest.mark.parametrize(
    "options", [{"threshold": 0}, {"ratio": 0.5}, {"min_scene_s": 0.1}, {"pictures": 501}, {"picture_size": 8}]
)
def test_options_that_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Scenes(**options)
