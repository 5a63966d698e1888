"""Films and recordings decoded from end to end, once for all who want to see or hear them."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from mediakit.recordings import FilmFormat, write_film
from PIL import Image
from realmedia import FILMS, RealMedia

from cortex.media import Media
from cortex.media.container import Container
from cortex.media.shown import Shown
from cortex.media.speaker import Heard
from cortex.media.wants import Fed, PictureFeed, SoundFeed, Wants, together
from loom.errors import LoomError

Opened = Callable[..., Media]
Written = Callable[[bytes], Path]


class Notes:
    """Writes down what it sees of each frame."""

    def __init__(self, look: Callable[[Shown], Any] = lambda frame: frame.number) -> None:
        self.seen: list[Any] = []
        self._look = look

    def update(self, frame: Shown) -> None:
        self.seen.append(self._look(frame))


class Ear:
    def __init__(self) -> None:
        self.heard: list[Heard] = []

    def update(self, piece: Heard) -> None:
        self.heard.append(piece._replace(samples=piece.samples.copy()))

    @property
    def samples(self) -> np.ndarray[Any, Any]:
        return np.concatenate([piece.samples for piece in self.heard], axis=1)


def _watching(look: Callable[[Shown], Any] = lambda frame: frame.number, **feed: Any) -> Wants:
    return Wants(pictures={"notes": PictureFeed(lambda: Notes(look), **feed)})


def _seen(media: Media, name: str = "notes") -> list[Any]:
    reader = media.watched(name)
    assert isinstance(reader, Notes)
    return reader.seen


def _heard(media: Media, name: str = "ear") -> Ear:
    reader = media.heard(name)
    assert isinstance(reader, Ear)
    return reader


_EAR = Wants(sounds={"ear": SoundFeed(Ear)})
_TIMES = _watching(lambda frame: (frame.number, frame.time_s, frame.until_s))


@pytest.mark.parametrize("name", FILMS)
def test_every_frame_is_seen_in_order(opened: Opened, media: RealMedia, name: str) -> None:
    seen = _seen(opened(media.film(name), _TIMES))
    assert [number for number, _, _ in seen] == list(range(48))
    # The container of the recording with sound begins with it, a few milliseconds before the pictures.
    assert [time for _, time, _ in seen] == pytest.approx([n / 24 for n in range(48)], abs=0.05)
    assert all(0.03 < until - time < 0.05 for _, time, until in seen)


@pytest.mark.parametrize("name", ["h264", "h264-turned", "vp9"])
def test_pictures_are_upright_and_true(opened: Opened, media: RealMedia, name: str) -> None:
    wants = _watching(lambda frame: (frame.rgb(160).copy(), frame.grey(160).copy(), frame.grey(1000).shape), rate=1)
    rgb, grey, whole = _seen(opened(media.film(name), wants))[0]
    if name == "h264-turned":
        rgb, grey, whole = np.rot90(rgb), np.rot90(grey), whole[::-1]
    wanted = media.frames(1)[0].resize((160, 90), Image.Resampling.BOX)
    assert rgb.shape == (90, 160, 3)
    assert whole == (180, 320), "nothing is enlarged"
    assert np.abs(rgb.astype(int) - np.asarray(wanted)).mean() < 8
    assert np.abs(grey.astype(int) - np.asarray(wanted.convert("L"))).mean() < 8


def test_brightness_covers_the_whole_range(opened: Opened, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), (level,) * 3) for level in (0, 128, 255)]
    film = write_film(tmp_path / "film.mp4", frames, FilmFormat(fps=1, options={"crf": "1"}))
    wants = _watching(lambda f: (f.grey(32).mean(), f.grey(400).mean(), f.rgb(32).mean(), f.planes(32).u.mean()))
    for seen, level in zip(_seen(opened(film, wants)), (0, 128, 255), strict=True):
        assert seen == pytest.approx((level, level, level, 128), abs=3)


def test_what_is_seen_does_not_depend_on_who_else_looks(opened: Opened, media: RealMedia) -> None:
    alone = _watching(lambda frame: frame.grey(64).tobytes(), rate=5)
    larger = Wants(pictures={"other": PictureFeed(lambda: Notes(lambda f: (f.rgb(500), f.grey(160), f.picture(80))))})
    path = media.films["bigbuckbunny"]
    assert _seen(opened(path, alone)) == _seen(opened(path, together([larger, alone])))


def test_pixels_that_are_not_square(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        container.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 64)))))
        container.mux(stream.encode(None))
    seen = _seen(opened(path, _watching(lambda frame: (frame.grey(64).shape, frame.luma().shape))))
    assert seen == [((32, 64), (64, 64))]


def test_frames_at_a_rate_and_key_frames(opened: Opened, media: RealMedia) -> None:
    """The first frame of each part of a second; the same whether or not somebody else wants more."""
    film = media.film("h264")
    rate, keys = _watching(rate=3.0), _watching(lambda frame: (frame.number, frame.is_key), key_frames=True)
    assert _seen(opened(film, rate)) == [0, 8, 16, 24, 32, 40]
    assert _seen(opened(film, keys)) == [(0, True), (1, True)], "frames that nobody wants are not decoded"
    other = Wants(pictures={"all": PictureFeed(Notes), "keys": keys.pictures["notes"]})
    both = opened(film, together([rate, other]))
    assert _seen(both) == [0, 8, 16, 24, 32, 40]
    assert _seen(both, "keys") == [(0, True), (24, True)]
    assert len(_seen(both, "all")) == 48


def test_one_pass_serves_all(opened: Opened, media: RealMedia) -> None:
    phases: list[str | None] = []
    wants = together([_watching(), Wants(pictures={"more": PictureFeed(Notes, rate=2)}), _EAR])
    film = opened(media.film("h264"), wants, on_phase=phases.append)
    assert len(_seen(film)) == 48
    assert len(_seen(film, "more")) == 4
    assert _heard(film).samples.shape[1] == pytest.approx(2 * 48000, abs=3000)
    assert phases == ["probe", None, "reel", None]
    pictures, sound = film.played
    assert pictures is not None
    assert sound is not None
    assert (pictures.decoded, pictures.damaged, pictures.fault) == (48, 0, None)
    assert (sound.decoded > 50, sound.damaged, sound.fault) == (True, 0, None)


def test_who_comes_later_gets_a_pass_of_their_own(opened: Opened, media: RealMedia) -> None:
    film = opened(media.film("h264"), _watching())
    assert len(_seen(film)) == 48
    film.expect(together([_watching(), _EAR]))
    assert _heard(film).samples.shape[1] > 90_000
    assert len(_seen(film)) == 48


def test_other_questions_before_and_after(opened: Opened, media: RealMedia) -> None:
    for name in ("h264", "vp9", "mpeg4"):
        wants = together([_watching(), _EAR])
        film = opened(media.film(name), wants)
        picture, sound = film.image(64).tobytes(), film.audio(8000, 0.0, 1.0)
        assert len(_seen(film)) == 48
        again = opened(media.film(name), wants)
        assert len(_seen(again)) == 48
        assert again.image(64).tobytes() == picture
        assert again.audio(8000, 0.0, 1.0).tobytes() == sound.tobytes()
        assert len(again.frames(2, 32)) == 2


def test_a_stream_without_a_container(media: RealMedia, tmp_path: Path) -> None:
    """It has no times, no index and no length."""
    film = write_film(tmp_path / "film.h264", media.frames(), FilmFormat(fps=25))
    feed, progress = _TIMES.pictures["notes"], list[float]()
    notes = Notes(lambda frame: (frame.number, frame.time_s))
    with closing(Container(io.BytesIO(film.read_bytes()), "video/mpeg", 10**9)) as bare:
        bare.play({"notes": (feed, Fed(lambda: notes))}, {}, progress.append)
    assert [number for number, _ in notes.seen] == list(range(48))
    assert [time for _, time in notes.seen] == pytest.approx([n / 25 for n in range(48)], abs=0.1)
    assert progress == sorted(progress)
    assert progress[-1] > 0.9


@pytest.mark.parametrize("ending", ["mkv", "mp4"])
def test_varying_rates_and_a_late_start(opened: Opened, tmp_path: Path, ending: str) -> None:
    """Sound from 0 s on, pictures at 1.0, 1.1, 1.5 and 3 s."""
    path = tmp_path / f"film.{ending}"
    moments = (1000, 1100, 1500, 3000)
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("libx264", rate=25, options={"bf": "0"})
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        audio: Any = container.add_stream("libmp3lame", rate=48000)
        audio.layout = "mono"
        for start in range(0, 4 * 48000, 1152):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
            container.mux(audio.encode(frame))
        for moment in moments:
            picture = av.VideoFrame.from_image(Image.new("RGB", (64, 64)))
            picture.pts, picture.time_base = moment, Fraction(1, 1000)
            container.mux(video.encode(picture))
        container.mux([*video.encode(None), *audio.encode(None)])
    film = opened(path, together([_TIMES, _EAR]))
    assert [time for _, time, _ in _seen(film)] == pytest.approx([1.0, 1.1, 1.5, 3.0], abs=0.06)
    assert _heard(film).heard[0].time_s == pytest.approx(0, abs=0.06)


def test_what_is_missing_of_one_kind(opened: Opened, media: RealMedia) -> None:
    both = together([_watching(), _EAR])
    silent, recording = opened(media.film("h264-silent"), both), opened(media.sound("flac"), both)
    assert len(_seen(silent)) == 48
    assert len(_heard(recording).heard) > 10
    for ask in (lambda: silent.heard("ear"), lambda: recording.watched("notes")):
        with pytest.raises(LoomError) as caught:
            ask()
        assert caught.value.code == "FORMAT_UNSUPPORTED"


def test_pictures_are_no_films(opened: Opened, media: RealMedia) -> None:
    with pytest.raises(LoomError) as caught:
        opened(media.photo(), _watching()).watched("notes")
    assert caught.value.code == "FORMAT_UNSUPPORTED"


def test_a_reader_that_fails_takes_none_along(opened: Opened, media: RealMedia) -> None:
    def fail(frame: Shown) -> None:
        raise ZeroDivisionError

    wants = together([_watching(), Wants(pictures={"bad": PictureFeed(lambda: Notes(fail))})])
    film = opened(media.film("h264"), wants)
    with pytest.raises(ZeroDivisionError):
        film.watched("bad")
    assert len(_seen(film)) == 48


def test_only_what_was_wanted_can_be_asked_for(opened: Opened, media: RealMedia) -> None:
    film = opened(media.film("h264"), together([_watching(), _EAR]))
    for ask in (lambda: film.watched("ear"), lambda: film.heard("notes")):
        with pytest.raises(LoomError) as caught:
            ask()
        assert caught.value.code == "OPERATOR_FAILED"


def test_damage_is_passed_over_and_counted(opened: Opened, media: RealMedia, written: Written) -> None:
    data = bytearray(media.film("h264-silent").read_bytes())
    start = len(data) // 3
    data[start : start + 4000] = bytes(4000)
    film = opened(written(bytes(data)), _watching())
    assert 40 < len(_seen(film)) < 48
    pictures, _ = film.played
    assert pictures is not None
    assert pictures.damaged > 0


def test_a_film_that_was_cut_off_is_seen_as_far_as_it_goes(opened: Opened, media: RealMedia, written: Written) -> None:
    data = media.film("h264-mkv").read_bytes()
    assert 10 < len(_seen(opened(written(data[: len(data) * 2 // 3]), _watching()))) < 48


def test_nothing_that_can_be_decoded(opened: Opened, media: RealMedia, written: Written) -> None:
    data = bytearray(media.film("h264-silent").read_bytes())
    start = data.index(b"mdat") + 4
    end = data.index(b"moov", start) - 4
    data[start:end] = bytes(end - start)
    film = opened(written(bytes(data)), _watching())
    for _ in range(2):
        with pytest.raises(LoomError) as caught:
            film.watched("notes")
        assert caught.value.code == "FILE_DAMAGED"


def test_frames_that_are_too_large(opened: Opened, media: RealMedia) -> None:
    with pytest.raises(LoomError) as caught:
        opened(media.film("h264"), _watching(), max_pixels=1000).watched("notes")
    assert caught.value.code == "FILE_TOO_LARGE"


def test_a_phase_that_killed_a_worker_is_not_tried(opened: Opened, media: RealMedia) -> None:
    blamed = {"reel": ("WORKER_CRASHED", "it died here")}
    film = opened(media.film("h264"), together([_watching(), _EAR]), blamed=blamed)
    for ask in (lambda: film.watched("notes"), lambda: film.heard("ear")):
        with pytest.raises(LoomError) as caught:
            ask()
        assert (caught.value.code, caught.value.message) == blamed["reel"]


@pytest.mark.parametrize("name", ["bigbuckbunny", "bikes"])
def test_progress_renews_the_time_limit_a_limited_number_of_times(opened: Opened, media: RealMedia, name: str) -> None:
    progress: list[float] = []
    opened(media.films[name], _watching()).watched("notes", progress.append)
    assert 50 < len(progress) <= 2000
    assert progress == sorted(progress)
    assert 0.9 < progress[-1] <= 1
