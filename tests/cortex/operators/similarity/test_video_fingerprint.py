from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from mediakit.recordings import FilmFormat, write_film
from PIL import Image, ImageEnhance
from realmedia import RealMedia

from cortex.operators.similarity import cliphash
from cortex.operators.similarity.cliphash import Clip
from cortex.operators.similarity.video_fingerprint import MEDIA_TYPE, VideoFingerprint
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import State

Copy = Callable[..., OperatorRun]


@pytest.fixture(scope="module")
def bikes(media: RealMedia) -> list[Image.Image]:
    """The first 6 s of a published film, 25 frames a second, with three cuts."""
    with av.open(str(media.films["bikes"])) as container:
        shown = container.decode(video=0)
        return [next(shown).to_image(width=320, height=136) for _ in range(150)]


@pytest.fixture(scope="module")
def original(media: RealMedia) -> OperatorRun:
    return run_operator(VideoFingerprint(), media.films["bikes"])


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    def make(frames: list[Image.Image], ending: str = "mp4", **form: Any) -> OperatorRun:
        film = write_film(tmp_path / f"copy.{ending}", frames, FilmFormat(**{"fps": 25, **form}))
        return run_operator(VideoFingerprint(), film)

    return make


def _clip(run: OperatorRun) -> Clip:
    return cliphash.unpack(run.artifact("fingerprint").data)


def _summary_distances(one: OperatorRun, other: OperatorRun) -> list[int]:
    summaries = [int(run.outputs["summary"], 16) for run in (one, other)]
    apart = summaries[0] ^ summaries[1]
    return [(apart >> (64 * part) & (2**64 - 1)).bit_count() for part in range(cliphash.PARTS)]


def _boxed(frame: Image.Image, size: tuple[int, int]) -> Image.Image:
    box = Image.new("RGB", size)
    box.paste(frame, ((size[0] - frame.width) // 2, (size[1] - frame.height) // 2))
    return box


def _brighter(frame: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(frame).enhance(1.2)


COPIES: dict[str, tuple[Callable[[Image.Image], Image.Image], dict[str, Any]]] = {
    "re-encoded": (lambda frame: frame, {"options": {"crf": "38"}}),
    "other codec": (lambda frame: frame, {"codec": "mpeg4", "ending": "avi"}),
    "smaller": (lambda frame: frame.resize((192, 80)), {}),
    "squeezed": (lambda frame: frame.resize((240, 180)), {}),
    "letterbox": (lambda frame: _boxed(frame, (320, 180)), {}),
    "pillarbox": (lambda frame: _boxed(frame, (426, 136)), {}),
    "brighter": (_brighter, {}),
    "less contrast": (lambda frame: ImageEnhance.Contrast(frame).enhance(0.7), {}),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_known(bikes: list[Image.Image], original: OperatorRun, copy: Copy, name: str) -> None:
    change, form = COPIES[name]
    found = copy([change(frame) for frame in bikes], **form)
    match = cliphash.match(_clip(original), _clip(found))
    assert match is not None
    assert match.distance < 5
    assert (match.offset_s, match.overlap) == (0, 1)


def test_other_frame_rates(bikes: list[Image.Image], original: OperatorRun, copy: Copy) -> None:
    match = cliphash.match(_clip(original), _clip(copy(bikes[::5], fps=5)))
    assert match is not None
    assert match.distance < 10


def test_bars_are_found(bikes: list[Image.Image], copy: Copy) -> None:
    assert copy(bikes).outputs["picture"] == [0, 0, 1, 1]
    boxed = copy([_boxed(frame, (320, 180)) for frame in bikes]).outputs["picture"]
    assert boxed == pytest.approx([0, 22 / 180, 1, 158 / 180], abs=0.01)


def test_summaries_of_copies_are_alike(bikes: list[Image.Image], copy: Copy) -> None:
    whole = copy(bikes)
    assert max(_summary_distances(whole, copy([_boxed(frame, (320, 180)) for frame in bikes]))) <= 6
    assert min(_summary_distances(whole, copy([frame.transpose(0) for frame in bikes]))) >= 20


@pytest.mark.parametrize(("start", "stop", "most"), [(50, 150, 1), (0, 75, 1), (53, 150, 15)])
def test_pieces_are_found_where_they_are(
    bikes: list[Image.Image], original: OperatorRun, copy: Copy, start: int, stop: int, most: float
) -> None:
    """On the grid of quarters of a second almost exactly, beside it still far nearer than a stranger."""
    piece = _clip(copy(bikes[start:stop], options={"crf": "18"}))
    match = cliphash.match(piece, _clip(original))
    assert match is not None
    assert match.distance < most + 0.5
    assert match.offset_s == pytest.approx(start / 25, abs=0.25)


def test_strangers_are_far_apart(media: RealMedia, original: OperatorRun, bikes: list[Image.Image], copy: Copy) -> None:
    mirrored = copy([frame.transpose(Image.Transpose.FLIP_LEFT_RIGHT) for frame in bikes])
    others = [run_operator(VideoFingerprint(), media.films[name]) for name in ("bigbuckbunny", "carphone_pristine")]
    for other in (*others, mirrored):
        match = cliphash.match(_clip(original), _clip(other))
        assert match is not None
        assert match.distance > 20


def test_a_distorted_copy_as_it_was_published(media: RealMedia) -> None:
    runs = [run_operator(VideoFingerprint(), media.films[f"carphone_{name}"]) for name in ("pristine", "distorted")]
    match = cliphash.match(*map(_clip, runs))
    assert match is not None
    assert match.distance < 8


def test_what_is_stored(original: OperatorRun) -> None:
    artifact = original.artifact("fingerprint")
    assert artifact.media_type == MEDIA_TYPE
    assert len(artifact.data) == 20 + 8 * 40
    assert (original.outputs["count"], original.outputs["interval_s"]) == (40, 0.25)
    assert len(original.outputs["summary"]) == 64


def test_frames_of_one_colour_have_no_hash(copy: Copy) -> None:
    run = copy([Image.new("RGB", (64, 64), "grey")] * 30)
    assert not _clip(run).hashes.any()
    assert run.outputs["summary"] == "0" * 64
    assert cliphash.match(_clip(run), _clip(run)) is None


@pytest.mark.parametrize("data", [b"", b"LCVF", bytes(40)])
def test_what_is_no_fingerprint(data: bytes) -> None:
    with pytest.raises(LoomError) as caught:
        cliphash.unpack(data)
    assert caught.value.code == "FORMAT_UNSUPPORTED"


def test_packing_and_clips_of_different_intervals() -> None:
    hashes = np.random.default_rng(1).integers(1, 2**63, 40).astype(np.uint64)
    clip = Clip(0.5, hashes)
    again = cliphash.unpack(cliphash.pack(clip))
    assert again.interval_s == 0.5
    assert (again.hashes == hashes).all()
    match = cliphash.match(clip, Clip(1.0, hashes[::2]))
    assert match == (0.0, 0.0, 1.0)


def test_long_films_are_hashed_less_often(media: RealMedia, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.operators.similarity.video_fingerprint._MOST", 8)
    run = run_operator(VideoFingerprint(), media.films["bikes"])
    assert (run.outputs["interval_s"], run.outputs["count"]) == (2.0, 5)


def test_what_is_skipped_and_refused(media: RealMedia, tmp_path: Path) -> None:
    assert run_operator(VideoFingerprint(), media.photo()).state is State.SKIPPED
    path = tmp_path / "film.mp4"
    path.write_bytes(media.film("h264").read_bytes()[:20_000])
    with pytest.raises(LoomError) as caught:
        run_operator(VideoFingerprint(), path)
    assert caught.value.code == "FILE_TRUNCATED"
