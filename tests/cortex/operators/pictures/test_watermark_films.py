"""What is made of films is played by others: it is opened and decoded again here."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from realmedia import RealMedia

from cortex.media.shown import Lens, Shown
from cortex.operators.identity.consistency import Consistency
from cortex.operators.pictures.watermark import Watermark
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import State


def played(run: OperatorRun) -> tuple[list[str], list[float], list[np.ndarray]]:
    """Codecs, the times of the frames, and the frames in RGB."""
    film = run.artifact("watermarked")
    assert film.media_type == run.outputs["media_type"]
    with av.open(io.BytesIO(film.data)) as container:
        codecs = [stream.codec_context.codec.canonical_name for stream in container.streams]
        frames = list(container.decode(video=0))
    pixels = [frame.to_ndarray(format="rgb24") for frame in frames]
    assert {one.shape for one in pixels} == {(run.outputs["height"], run.outputs["width"], 3)}
    return codecs, [float(frame.time or 0) for frame in frames], pixels


def test_a_picture_over_every_frame(media: RealMedia, logo: Path, tmp_path: Path) -> None:
    run = run_operator(Watermark(picture=str(logo), opacity=1, position="top left"), media.films["bigbuckbunny"])
    codecs, times, frames = played(run)
    assert codecs == ["h264", "aac"]
    assert times == pytest.approx([number / 25 for number in range(132)], abs=0.001)
    assert (run.outputs["frames"], run.outputs["box"]) == (132, [22, 22, 320, 160])
    assert run.outputs["duration_s"] == pytest.approx(5.31, abs=0.02)
    with av.open(str(media.films["bigbuckbunny"])) as container:
        originals = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for number in (0, 60, 131):
        marked, original = frames[number].astype(int), originals[number].astype(int)
        assert np.abs(marked[102, 182] - (0, 255, 0)).max() < 25, "the middle of the disc"
        assert np.abs(marked[300:, 500:] - original[300:, 500:]).mean() < 5, "the rest as it was"
        corner = np.abs(marked[22:32, 22:32] - original[22:32, 22:32]).mean()
        assert corner < 12, "nothing where the mark is transparent"
    path = tmp_path / "made.mp4"
    path.write_bytes(run.artifact("watermarked").data)
    assert run_operator(Consistency(), path).outputs["findings"] == []


def test_a_text_half_transparent_on_a_turned_film(media: RealMedia) -> None:
    run = run_operator(
        Watermark(text="© Loom", opacity=0.5, width=0.5, video_codec="vp9", color="#ffffff"),
        media.film("h264-turned"),
    )
    codecs, _, frames = played(run)
    assert codecs[0] == "vp9"
    assert (run.outputs["width"], run.outputs["height"]) == (180, 320)
    left, top, width, height = run.outputs["box"]
    assert (left + width, top + height) == (175, 315)
    plain = media.frames(1)[0].transpose(Image.Transpose.ROTATE_270)
    change = frames[0].astype(int) - np.asarray(plain)
    inside, outside = change[top : top + height, left : left + width], change[: top - 4]
    assert inside.max() > 60
    assert inside.min() < -30, "the outline"
    assert np.abs(outside).mean() < 8


def test_smaller_and_silent(media: RealMedia) -> None:
    run = run_operator(Watermark(text="x", size=160), media.film("h264-silent"))
    codecs, _, frames = played(run)
    assert (codecs, frames[0].shape[:2], len(frames)) == (["h264"], (90, 160), 48)


def test_others_see_the_frames_without_the_mark(media: RealMedia) -> None:
    """One pass serves all: what is drawn is drawn on a copy."""
    with av.open(str(media.film("h264"))) as container:
        frame = next(container.decode(video=0))
    shown = Shown(frame, Lens(frame, 1.0), 0, 0.0, 0.04)
    before = shown.coded(320).to_ndarray().copy()
    node = Watermark(text="x" * 20, opacity=1)
    node.open()
    encoder = node._encoder()
    encoder.update(shown)
    assert encoder.box is not None
    assert np.array_equal(shown.coded(320).to_ndarray(), before)


def test_broken_films_are_refused_as_by_transcode(media: RealMedia, tmp_path: Path) -> None:
    whole = media.film("h264").read_bytes()
    (broken := tmp_path / "broken.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LoomError) as caught:
        run_operator(Watermark(text="x"), broken)
    assert caught.value.code == "FILE_TRUNCATED"
    cut = media.film("h264-mkv").read_bytes()
    broken.write_bytes(cut[: len(cut) // 2])
    assert run_operator(Watermark(text="x"), broken).outputs["frames"] == 24
    with pytest.raises(LoomError, match="larger than 1 MB") as caught:
        run_operator(Watermark(text="x", rate_factor=10, max_mb=1), media.films["bikes"])
    assert caught.value.code == "FILE_TOO_LARGE"
    assert run_operator(Watermark(text="x"), media.sound("mp3")).state is State.SKIPPED


def test_results_of_pictures_keep_their_signature() -> None:
    assert not {"video_codec", "rate_factor", "max_mb"} & Watermark(text="x").options.model_dump().keys()
