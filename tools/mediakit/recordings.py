"""Sound and film, encoded by FFmpeg through PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.stream import Disposition
from PIL import Image

_BIT_EXACT = {"fflags": "+bitexact"}
_PIECE = 1024


@dataclass(frozen=True)
class Sound:
    """Samples as float32 of shape (channels, count) in -1…1, one or two channels, and their number a second."""

    samples: npt.NDArray[np.float32]
    rate: int = 48000


@dataclass(frozen=True, kw_only=True)
class FilmFormat:
    """How a film is written. `turned` degrees clockwise is how far a player must turn it; `gop` frames lie between
    key frames."""

    codec: str = "libx264"
    fps: int = 24
    turned: int = 0
    gop: int = 24
    sound_codec: str = "aac"
    options: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


_FAST = {
    "libx264": {"preset": "veryfast", "crf": "23"},
    "libx265": {"preset": "ultrafast", "crf": "28", "x265-params": "log-level=error"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "34", "b": "0"},
    "mpeg4": {"qscale": "4"},
}


def write_film(
    path: Path, frames: Iterable[Image.Image], form: FilmFormat | None = None, sound: Sound | None = None
) -> Path:
    """Writes RGB pictures of one even size as a film; the ending of `path` decides the container."""
    form = form or FilmFormat()
    pictures = iter(frames)
    first = next(pictures)
    with av.open(str(path), "w", options=_BIT_EXACT) as container:
        container.metadata.update(form.tags)
        options = {**_FAST.get(form.codec, {}), **form.options}
        video: Any = container.add_stream(form.codec, rate=form.fps, options=options)
        video.width, video.height, video.pix_fmt, video.gop_size = *first.size, "yuv420p", form.gop
        video.codec_context.time_base = Fraction(1, form.fps)
        if form.turned:
            video.set_display_rotation(-form.turned)
        audio: Any = _add_audio(container, form.sound_codec, sound) if sound is not None else None
        for number, picture in enumerate([first, *pictures]):
            frame = av.VideoFrame.from_ndarray(np.asarray(picture.convert("RGB")), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, form.fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None:
            _encode(container, audio, sound)
    return path


def write_sound(
    path: Path, sound: Sound, codec: str, *, tags: Mapping[str, str] | None = None, cover: bytes | None = None
) -> Path:
    """Writes sound; the ending of `path` decides the container. `cover` is a JPEG (FLAC and MP3 can hold one)."""
    with av.open(str(path), "w", options=_BIT_EXACT) as container:
        container.metadata.update(tags or {})
        audio = _add_audio(container, codec, sound)
        if cover is not None:
            picture: Any = container.add_stream("mjpeg")
            picture.width, picture.height = _size(cover)
            picture.pix_fmt, picture.disposition = "yuvj420p", Disposition.attached_pic
            packet = av.Packet(cover)
            packet.stream, packet.pts, packet.dts = picture, 0, 0
            container.mux(packet)
        _encode(container, audio, sound)
    return path


def read_sound(path: Path) -> Sound:
    """The first sound stream of a file, in stereo at 48 kHz."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48000)
    with av.open(str(path)) as container:
        pieces = [out.to_ndarray() for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        pieces += [out.to_ndarray() for out in resampler.resample(None)]
    return Sound(np.concatenate(pieces, axis=1).astype(np.float32))


def _size(jpeg: bytes) -> tuple[int, int]:
    import io

    with Image.open(io.BytesIO(jpeg)) as image:
        return image.size


def _add_audio(container: Any, codec: str, sound: Sound) -> Any:
    # FFmpeg calls its own Vorbis encoder experimental
    stream = container.add_stream(codec, rate=sound.rate, options={"strict": "-2"} if codec == "vorbis" else {})
    stream.layout = "stereo" if sound.samples.shape[0] == 2 else "mono"
    return stream


def _encode(container: Any, stream: Any, sound: Sound) -> None:
    layout = "stereo" if sound.samples.shape[0] == 2 else "mono"
    for start in range(0, sound.samples.shape[1], _PIECE):
        piece = np.ascontiguousarray(sound.samples[:, start : start + _PIECE], dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = sound.rate, start, Fraction(1, sound.rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
