"""What is made of films and recordings is played by others: it is opened and decoded again here."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from mediakit.recordings import Sound, read_sound, write_sound
from PIL import Image, ImageChops, ImageStat
from realmedia import RealMedia

from cortex.media.isobox import boxes
from cortex.media.spill import Scratch
from cortex.operators.films.transcode import Transcode
from cortex.operators.identity.consistency import Consistency
from cortex.operators.sound.loudness import Loudness
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import State
from loom.verbs import Descriptor


class Played:
    """A file opened and decoded to its end."""

    def __init__(self, data: bytes) -> None:
        with av.open(io.BytesIO(data)) as container:
            self.codecs = [stream.codec_context.codec.canonical_name for stream in container.streams]
            self.starts = [float((s.start_time or 0) * s.time_base) for s in container.streams if s.time_base]
            self.frames = [] if not container.streams.video else list(container.decode(video=0))
        self.times = [frame.time for frame in self.frames]
        self.pictures: list[Image.Image] = [frame.to_image() for frame in self.frames[:3]]


def made(path: Path, **options: Any) -> OperatorRun:
    return run_operator(Transcode(**options), path)


def is_whole(data: bytes, folder: Path) -> Path:
    path = folder / "made"
    path.write_bytes(data)
    assert run_operator(Consistency(), path).outputs["findings"] == []
    return path


def far(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures are from each other in brightness, of 255."""
    return ImageStat.Stat(ImageChops.difference(one.convert("L"), other.convert("L"))).mean[0]


def test_a_proxy_is_smaller_and_shows_and_says_the_same(media: RealMedia, tmp_path: Path) -> None:
    run = made(media.films["bigbuckbunny"], side=480)
    film = run.artifact("film")
    assert film.media_type == run.outputs["media_type"] == "video/mp4"
    assert run.outputs["size"] == len(film.data) < 400_000
    assert (run.outputs["width"], run.outputs["height"], run.outputs["frames"]) == (480, 270, 132)
    assert run.outputs["duration_s"] == pytest.approx(5.31, abs=0.02)
    played = Played(film.data)
    assert (played.codecs, len(played.frames)) == (["h264", "aac"], 132)
    assert played.starts == pytest.approx([0, 0], abs=0.03)
    assert played.times == pytest.approx([number / 25 for number in range(132)], abs=0.001)
    first = media.frames(1, (480, 270))[0]
    assert far(played.pictures[0], first) < 4
    assert played.frames[0].colorspace == Colorspace.ITU709
    assert played.frames[0].color_range == ColorRange.MPEG
    path = is_whole(film.data, tmp_path)
    heard, original = read_sound(path).samples, media.music.samples
    length = min(heard.shape[1], original.shape[1])
    assert np.corrcoef(heard[0, :length], original[0, :length])[0, 1] > 0.95, "and at the same time"


def test_the_index_of_a_film_comes_first(media: RealMedia) -> None:
    data = made(media.film("h264")).artifact("film").data
    outer = [box.type for box in boxes(lambda offset, count: data[offset : offset + count], 0, len(data))]
    assert outer.index(b"moov") < outer.index(b"mdat")


@pytest.mark.parametrize(
    "options",
    [{"side": 320}, {"side": 160, "video_codec": "vp9"}, {"to": "audio", "audio_codec": "flac"},
     {"to": "audio", "audio_codec": "opus"}, {"to": "audio", "audio_codec": "mp3"}],
)  # fmt: skip
def test_what_does_not_fit_into_memory_is_made_on_the_disk_byte_for_byte(
    media: RealMedia, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    path = media.film("h264")
    small = made(path, **options)
    with tempfile.TemporaryFile() as file:
        scratch = Scratch(Descriptor(os.dup(file.fileno())), in_memory=10_000)
        monkeypatch.setattr("cortex.media.spill._of_process", [scratch])
        large = made(path, **options)
        assert os.fstat(file.fileno()).st_size > large.outputs["size"]
    assert large.artifacts == small.artifacts
    assert large.outputs == small.outputs


def test_webm(media: RealMedia, tmp_path: Path) -> None:
    run = made(media.film("h264"), video_codec="vp9", side=160)
    film = run.artifact("film")
    assert film.media_type == "video/webm"
    played = Played(film.data)
    assert (played.codecs, len(played.frames)) == (["vp9", "opus"], 48)
    is_whole(film.data, tmp_path)


def test_turned_pictures_are_upright(media: RealMedia) -> None:
    run = made(media.film("h264-turned"), side=160)
    assert (run.outputs["width"], run.outputs["height"]) == (90, 160)
    turned = media.frames(1)[0].transpose(Image.Transpose.ROTATE_270).resize((90, 160))
    assert far(Played(run.artifact("film").data).pictures[0], turned) < 8


def test_frames_are_left_out_and_none_is_enlarged(media: RealMedia) -> None:
    run = made(media.film("mpeg4"), frame_rate=8)
    assert (run.outputs["width"], run.outputs["height"], run.outputs["frames"]) == (320, 180, 17)
    times = Played(run.artifact("film").data).times
    assert np.diff(times).mean() == pytest.approx(1 / 8, abs=0.01)


def test_quality_and_bit_rate_decide_the_size(media: RealMedia) -> None:
    film = media.films["bikes"]
    fine, coarse = (made(film, side=192, quality=quality).outputs["size"] for quality in (18, 36))
    assert fine > 2 * coarse
    limited = made(film, side=192, video_kbit=100).outputs["size"]
    assert limited * 8 / 10 == pytest.approx(100_000, rel=0.4), "10 s"


def test_a_film_may_be_silent(media: RealMedia) -> None:
    assert Played(made(media.film("h264"), sound=False).artifact("film").data).codecs == ["h264"]
    assert Played(made(media.film("h264-silent")).artifact("film").data).codecs == ["h264"]


@pytest.mark.parametrize(
    ("codec", "name", "media_type"),
    [("aac", "aac", "audio/mp4"), ("opus", "opus", "audio/ogg"), ("flac", "flac", "audio/flac"),
     ("mp3", "mp3", "audio/mpeg")],
)  # fmt: skip
def test_the_sound_of_a_film(media: RealMedia, tmp_path: Path, codec: str, name: str, media_type: str) -> None:
    run = made(media.films["bigbuckbunny"], to="audio", audio_codec=codec, audio_kbit=96)
    sound = run.artifact("sound")
    assert sound.media_type == media_type
    assert Played(sound.data).codecs[0].startswith(name)
    heard = read_sound(is_whole(sound.data, tmp_path)).samples
    assert heard.shape[1] == pytest.approx(media.music.samples.shape[1], abs=2000)
    assert "frames" not in run.outputs


def test_flac_keeps_every_sample(media: RealMedia, tmp_path: Path) -> None:
    run = made(media.sound("wav"), to="audio", audio_codec="flac")
    heard = read_sound(is_whole(run.artifact("sound").data, tmp_path)).samples
    assert np.array_equal(heard, read_sound(media.sound("wav")).samples)


@pytest.mark.parametrize(("level", "channels"), [(-30.0, "stereo"), (-24.0, "stereo"), (-30.0, "mono")])
def test_sound_is_brought_to_a_level(media: RealMedia, tmp_path: Path, level: float, channels: str) -> None:
    """Also where mixing changes it."""
    run = made(media.sound("mp3"), to="audio", loudness_lufs=level, channels=channels)
    path = is_whole(run.artifact("sound").data, tmp_path)
    assert run_operator(Loudness(), path).outputs["integrated_lufs"] == pytest.approx(level, abs=0.3)
    assert run.outputs["gain_db"] > 2


def test_no_peak_is_cut_off(media: RealMedia, tmp_path: Path) -> None:
    """It stays too quiet rather."""
    run = made(media.sound("flac"), to="audio", audio_codec="flac", loudness_lufs=-8.0, true_peak_dbtp=-3.0)
    found = run_operator(Loudness(), is_whole(run.artifact("sound").data, tmp_path)).outputs
    assert found["true_peak_dbtp"] == pytest.approx(-3.0, abs=0.2)
    assert found["integrated_lufs"] < -15


def test_silence_stays_silent(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "silence.wav", Sound(np.zeros((2, 48000), np.float32)), "pcm_s16le")
    run = made(path, to="audio", audio_codec="flac", loudness_lufs=-16.0)
    assert run.outputs["gain_db"] == 0
    assert not read_sound(is_whole(run.artifact("sound").data, tmp_path)).samples.any()


def test_a_film_is_normalised_too(media: RealMedia, tmp_path: Path) -> None:
    run = made(media.films["bigbuckbunny"], side=160, loudness_lufs=-26.0)
    path = is_whole(run.artifact("film").data, tmp_path)
    assert run_operator(Loudness(), path).outputs["integrated_lufs"] == pytest.approx(-26.0, abs=0.3)
    assert run.outputs["frames"] == 132


def test_what_would_be_too_large_is_not_made(media: RealMedia) -> None:
    with pytest.raises(LoomError, match="larger than 1 MB") as caught:
        made(media.films["bikes"], quality=10, max_mb=1)
    assert caught.value.code == "FILE_TOO_LARGE"


def test_what_does_not_fit_is_passed_over_and_what_is_broken_refused(media: RealMedia, tmp_path: Path) -> None:
    assert made(media.sound("mp3")).state is State.SKIPPED
    assert made(media.film("h264-silent"), to="audio").state is State.SKIPPED
    assert made(media.images["chelsea"]).state is State.SKIPPED
    broken = tmp_path / "broken.mp4"
    whole = media.film("h264").read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LoomError) as caught:
        made(broken)
    assert caught.value.code == "FILE_TRUNCATED"
    cut = media.film("h264-mkv").read_bytes()
    broken.write_bytes(cut[: len(cut) // 2])
    run = made(broken)
    assert run.outputs["frames"] == 24
    is_whole(run.artifact("film").data, tmp_path)


def test_an_encoder_that_is_missing_is_said_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.operators.films.transcode.FILMS", {"h264": ("libnothing", "mp4", "video/mp4")})
    with pytest.raises(LoomError, match="no encoder libnothing") as caught:
        Transcode().open()
    assert caught.value.code == "REQUIREMENT_MISSING"
