"""Films and recordings as they come out of `Media`."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from mediakit.recordings import FilmFormat, Sound, write_film, write_sound
from PIL import Image
from realmedia import FILMS, SOUNDS, TAGS, RealMedia

from cortex.media import Media
from cortex.media.container import Container
from loom.errors import LoomError

Opened = Callable[..., Media]
Written = Callable[[bytes], Path]


def _colour_film(path: Path, seconds: int, **form: Any) -> Path:
    """A film of one frame a second whose brightness grows with time."""
    frames = [Image.new("RGB", (64, 32), (n * 255 // seconds,) * 3) for n in range(seconds)]
    return write_film(path, frames, FilmFormat(fps=1, **form))


def _brightness(images: list[Image.Image]) -> list[float]:
    return [float(np.asarray(image).mean()) for image in images]


@pytest.mark.parametrize("name", FILMS)
def test_what_a_film_says_of_itself(opened: Opened, media: RealMedia, name: str) -> None:
    probe = opened(media.film(name)).probe()
    video, audio = probe.first("video"), probe.first("audio")
    turned = name == "h264-turned"
    assert video is not None
    assert (probe.width, probe.height) == ((180, 320) if turned else (320, 180))
    assert (video.width, video.height, video.frame_rate) == (320, 180, 24.0)
    assert (video.rotation or 0) == (90 if turned else 0)
    assert probe.duration_s == pytest.approx(2, abs=0.1)
    assert video.codec == {"libx264": "h264", "libx265": "hevc", "libvpx-vp9": "vp9"}.get(FILMS[name][1].codec, "mpeg4")
    assert (audio is not None) == FILMS[name][2]


@pytest.mark.parametrize("name", FILMS)
def test_a_film_has_a_picture(opened: Opened, media: RealMedia, name: str) -> None:
    wanted = media.frames(1)[0].resize((160, 90), Image.Resampling.LANCZOS)
    shown = opened(media.film(name)).image(160)
    if name == "h264-turned":
        shown = shown.transpose(Image.Transpose.ROTATE_90)
    assert shown.size == (160, 90)
    assert np.abs(np.asarray(shown).astype(int) - np.asarray(wanted).astype(int)).mean() < 25


def test_the_picture_is_past_the_title(opened: Opened, tmp_path: Path) -> None:
    film = _colour_film(tmp_path / "film.mp4", 100, gop=5)
    (brightness,) = _brightness([opened(film).image(64)])
    assert 0.09 < brightness / 255 < 0.2


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "avi"])
def test_frames_are_spread_over_the_length(opened: Opened, tmp_path: Path, ending: str) -> None:
    film = _colour_film(tmp_path / f"film.{ending}", 40, gop=2, options={"bf": "0"})
    found = _brightness(opened(film).frames(4, 32))
    assert len(found) == 4
    for brightness, wanted in zip(found, (0.125, 0.375, 0.625, 0.875), strict=True):
        assert brightness / 255 == pytest.approx(wanted, abs=0.08)


def test_a_short_film_with_one_key_frame_is_decoded_from_end_to_end(opened: Opened, tmp_path: Path) -> None:
    found = _brightness(opened(_colour_film(tmp_path / "film.mp4", 20, gop=1000)).frames(4, 32))
    assert len(found) == 4
    assert found == sorted(found)
    assert found[-1] - found[0] > 120


def test_no_frame_is_shown_twice(opened: Opened, tmp_path: Path) -> None:
    found = _brightness(opened(_colour_film(tmp_path / "film.mp4", 12, gop=4)).frames(6, 32))
    assert len(found) == len(set(found)) < 6


def test_a_film_of_one_frame(opened: Opened, tmp_path: Path) -> None:
    film = opened(_colour_film(tmp_path / "film.mp4", 1))
    assert len(film.frames(9, 32)) == 1
    assert film.image(32).size == (32, 16)


def test_a_stream_without_a_container(tmp_path: Path) -> None:
    """It has neither an index nor a length."""
    film = _colour_film(tmp_path / "film.h264", 40, gop=2)
    with closing(Container(io.BytesIO(film.read_bytes()), "video/mpeg", 10**9)) as bare:
        assert bare.probe.duration_s is None
        assert len(bare.frames(4, 64)) == 4
        assert bare.poster(32).at(32).size == (32, 16)


def test_pixels_that_are_not_square(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=5, options={"aspect": "2"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 64)))))
        container.mux(stream.encode(None))
    assert opened(path).image().size == (128, 64)
    probe = opened(path).probe()
    assert (probe.width, probe.height, probe.streams[0].width) == (128, 64, 64)


@pytest.mark.parametrize(("size", "told", "red"), [((1280, 720), None, 253), ((64, 64), None, 231), ((64, 64), 1, 253)])
def test_the_colours_of_high_definition(
    opened: Opened, tmp_path: Path, size: tuple[int, int], told: int | None, red: int
) -> None:
    """Pure red by BT.709, in a file that says so or not: by BT.601 it is darker."""
    frame = av.VideoFrame(*size, "yuv420p")
    for plane, value in zip(frame.planes, (63, 102, 240), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=1, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if told is not None:
            stream.codec_context.colorspace = told
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for shown in (opened(tmp_path / "film.mp4").image(32), opened(tmp_path / "film.mp4").image()):
        assert shown.getpixel((5, 5)) == pytest.approx((red, 0, 0), abs=2)


@pytest.mark.parametrize("name", SOUNDS)
def test_what_a_recording_says_of_itself(opened: Opened, media: RealMedia, name: str) -> None:
    probe = opened(media.sound(name)).probe()
    sound = probe.first("audio")
    assert sound is not None
    assert (sound.sample_rate, sound.channels) == (48000, 2)
    assert probe.duration_s == pytest.approx(5.3, abs=0.1)
    assert {**sound.tags, **probe.tags}["title"] == TAGS["title"]
    assert probe.first("video") is None
    assert (probe.first("cover") is not None) == SOUNDS[name][2]


@pytest.mark.parametrize("name", ["flac", "mp3"])
def test_covers(opened: Opened, media: RealMedia, name: str) -> None:
    recording = opened(media.sound(name))
    recording.audio(8000)
    assert recording.image(100).size == (100, 100)


def test_samples(opened: Opened, tmp_path: Path) -> None:
    """A tone of 440 Hz that starts after a second of silence."""
    time = np.arange(48000 * 2) / 48000
    tone = np.where(time < 1, 0, np.sin(2 * np.pi * 440 * time) * 0.5).astype(np.float32)
    recording = opened(write_sound(tmp_path / "tone.wav", Sound(tone[np.newaxis]), "pcm_s16le"))
    samples = recording.audio(rate=8000)
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(16000, abs=40)
    assert np.abs(samples[:7900]).max() < 0.01
    assert np.argmax(np.abs(np.fft.rfft(samples[-8000:]))) == pytest.approx(440, abs=1)
    assert len(recording.audio(rate=8000, max_seconds=0.5)) == 4000
    later = recording.audio(rate=8000, start_s=1.2, max_seconds=0.5)
    assert np.abs(later).max() == pytest.approx(0.5, abs=0.02)
    peaks = recording.peaks(4)
    assert peaks.tolist() == pytest.approx([0, 0, 0.5, 0.5], abs=0.02)


def test_long_sound_is_tasted(opened: Opened, tmp_path: Path) -> None:
    """Twenty minutes, loud in the second half only."""
    samples = np.zeros((1, 8000 * 1200), np.float32)
    samples[0, 8000 * 600 :] = 0.5
    recording = opened(write_sound(tmp_path / "long.wav", Sound(samples, 8000), "pcm_s16le"))
    peaks = recording.peaks(10).tolist()
    assert peaks == pytest.approx([0] * 5 + [0.5] * 5, abs=0.02)


def test_a_cut_film_that_says_what_it_lacks(opened: Opened, media: RealMedia, written: Written) -> None:
    data = media.film("h264").read_bytes()
    assert data.index(b"moov") > data.index(b"mdat")
    with pytest.raises(LoomError) as caught:
        opened(written(data[: len(data) // 2])).probe()
    assert caught.value.code == "FILE_TRUNCATED"


def test_damage_in_the_middle_costs_only_some_frames(opened: Opened, media: RealMedia, written: Written) -> None:
    data = bytearray(media.film("mpeg4").read_bytes())
    data[20_000:24_000] = bytes(4000)
    assert opened(written(bytes(data))).frames(4, 64)


def test_too_large_frames_are_refused(opened: Opened, media: RealMedia) -> None:
    with pytest.raises(LoomError) as caught:
        opened(media.film("h264"), max_pixels=10_000).frames(4)
    assert caught.value.code == "FILE_TOO_LARGE"


def test_media_cannot_make_ffmpeg_open_anything_else(tmp_path: Path) -> None:
    """A playlist that names a server and a file: neither is touched."""
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)

        def accept() -> None:
            try:
                calls.append(server.accept())
            except TimeoutError:
                return

        listener = threading.Thread(target=accept)
        listener.start()
        port = server.getsockname()[1]
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n"
        file = io.BytesIO(playlist.encode())
        file.name = "list.m3u8"  # type: ignore[attr-defined]
        with pytest.raises(av.FFmpegError):
            Container(file, "video/mp4", 10**9)
        concat = f"ffconcat version 1.0\nfile '{tmp_path / 'x.mp4'}'\n"
        with pytest.raises(av.FFmpegError):
            Container(io.BytesIO(concat.encode()), "video/mp4", 10**9)
        listener.join()
    assert not calls


def test_midi_has_no_decoder(opened: Opened, written: Written) -> None:
    with pytest.raises(LoomError) as caught:
        opened(written(b"MThd\0\0\0\6\0\1\0\1\0\x60")).probe()
    assert caught.value.code == "FORMAT_UNSUPPORTED"
