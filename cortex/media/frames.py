"""Frames of a video: key frames found by seeking, turned upright."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream
from PIL import Image

from cortex.media.decoding import decoded
from cortex.media.shown import matrix_of
from loom.errors import LoomError

_MAX_PACKETS = 3000
"""How many packets are looked at for a key frame after a seek."""
_MAX_ERRORS = 50
_WHOLE_PIXELS = 300_000_000
"""Videos of fewer pixels in all are decoded from end to end when they have key frames for less than half of what is
asked for."""
Reopen = Callable[[], InputContainer]
Pick = Callable[[VideoFrame], Image.Image]
_TURNS = {90: Image.Transpose.ROTATE_270, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_90}


class Frames:
    """The pictures of one video stream. `duration_s` may be None when the container does not tell."""

    def __init__(self, reopen: Reopen, source: InputContainer, duration_s: float | None, max_pixels: int) -> None:
        self._reopen = reopen
        self._duration = duration_s
        self._max_pixels = max_pixels
        self._use(source)

    def _use(self, source: InputContainer) -> None:
        self._source = source
        self._stream = stream = video_stream(source)
        self._start = stream.start_time or 0
        prepare(stream, self._max_pixels)

    def at(self, fraction: float, max_side: int | None) -> Image.Image:
        """The key frame at or before that part of the length, else the first frame that can be decoded."""
        self._key_frames_only(True)
        frame = self._after_seek(fraction * self._duration) if self._duration else None
        for only in (True, False):
            if frame is None:
                self._rewind(only)
                frame = next(self._decoded(_MAX_PACKETS), None)
        if frame is None:
            raise LoomError("FILE_DAMAGED", "no frame of the video can be decoded")
        return self._picture(frame, max_side)

    def spread(self, count: int, max_side: int | None) -> list[Image.Image]:
        """At most `count` different frames, evenly spread over the length, in order."""
        pick: Pick = lambda frame: self._picture(frame, max_side)  # noqa: E731
        if self._duration is None:
            found = _even(list(self._all_key_frames(pick)), count)
        else:
            found = self._sought(count, pick)
            if 2 * len(found) < count and is_short(self._stream, self._duration):
                found = self._sequential(count, pick) or found
        return found or [self.at(0.0, max_side)]

    def _sought(self, count: int, pick: Pick) -> list[Image.Image]:
        self._key_frames_only(True)
        found: dict[int, Image.Image] = {}
        for number in range(count):
            frame = self._after_seek((number + 0.5) / count * (self._duration or 0))
            if frame is None:
                continue
            pts: int | None = frame.pts
            key = number if pts is None else pts
            if key not in found:
                found[key] = pick(frame)
        return [found[key] for key in sorted(found)]

    def _sequential(self, count: int, pick: Pick) -> list[Image.Image]:
        """One pass over all frames, taking the first at or after each moment."""
        self._rewind(key_frames_only=False)
        found: list[Image.Image] = []
        start = float(self._start * (self._stream.time_base or 0))
        for frame in self._decoded(1_000_000):
            moment = (len(found) + 0.5) / count * (self._duration or 0)
            time: float | None = frame.time
            if time is not None and time - start >= moment:
                found.append(pick(frame))
                if len(found) == count:
                    break
        return found

    def _all_key_frames(self, pick: Pick) -> Iterator[Image.Image]:
        self._rewind(key_frames_only=True)
        for number, frame in enumerate(self._decoded(100 * _MAX_PACKETS)):
            if number == 256:
                return
            yield pick(frame)

    def _key_frames_only(self, only: bool) -> None:
        self._stream.codec_context.skip_frame = "NONKEY" if only else "DEFAULT"

    def _rewind(self, key_frames_only: bool) -> None:
        """Back to the start; opened again where the format cannot seek, since trying leaves it at its end."""
        try:
            if self._duration is None:
                raise PermissionError
            self._source.seek(self._start, stream=self._stream)
        except (av.FFmpegError, PermissionError):
            self._use(self._reopen())
        self._key_frames_only(key_frames_only)

    def _after_seek(self, seconds: float) -> VideoFrame | None:
        """The first frame that comes out after going to the key frame at or before a moment."""
        base = self._stream.time_base
        if not base:
            return None
        try:
            self._source.seek(self._start + int(seconds / base), stream=self._stream)
        except (av.FFmpegError, OverflowError):
            return None
        return next(self._decoded(_MAX_PACKETS), None)

    def _decoded(self, max_packets: int) -> Iterator[VideoFrame]:
        """Frames from here on."""
        return decoded(self._source, self._stream, most_errors=_MAX_ERRORS, most_packets=max_packets)

    def _picture(self, frame: VideoFrame, max_side: int | None) -> Image.Image:
        if frame.width * frame.height > self._max_pixels:
            raise LoomError("FILE_TOO_LARGE", f"a frame of {frame.width} x {frame.height} pixels is too large")
        return picture_of(frame, pixel_aspect(self._stream), max_side)


def picture_of(frame: VideoFrame, aspect: float, max_side: int | None) -> Image.Image:
    """RGB with square pixels, upright, reduced while it is converted. `aspect`: how many times wider than high pixels
    are shown."""
    width, height = frame.width * aspect, float(frame.height)
    scale = min(1.0, max_side / max(width, height)) if max_side else 1.0
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    image: Image.Image = frame.to_image(  # type: ignore[no-untyped-call]
        width=size[0], height=size[1], interpolation=Interpolation.AREA, src_colorspace=matrix_of(frame)
    )
    turn = _TURNS.get(round(-frame.rotation / 90) * 90 % 360)
    return image if turn is None else image.transpose(turn)


def is_short(stream: VideoStream, duration_s: float | None) -> bool:
    """Whether a video may be decoded from end to end for a few pictures."""
    rate = stream.average_rate or 30
    frames = stream.frames or float(rate) * (duration_s or 0)
    return frames * stream.codec_context.width * stream.codec_context.height <= _WHOLE_PIXELS


def pixel_aspect(stream: Stream) -> float:
    """How many times wider than high a video's pixels are shown; 1 where the file says nothing or nonsense."""
    aspect = float(getattr(stream, "sample_aspect_ratio", None) or 1)
    return aspect if 0.1 < aspect < 10 else 1.0


def is_cover(stream: Stream) -> bool:
    """Whether a video stream is only a still picture beside the sound."""
    return stream.type == "video" and bool(stream.disposition & Disposition.attached_pic)


def video_stream(source: InputContainer) -> VideoStream:
    """The first that is no cover. Raises FORMAT_UNSUPPORTED when there is none."""
    stream = next((stream for stream in source.streams.video if not is_cover(stream)), None)
    if stream is None:
        raise LoomError("FORMAT_UNSUPPORTED", "the file has no video stream")
    return stream


def prepare(stream: VideoStream, max_pixels: int) -> None:
    """Before the first frame is decoded. Raises FORMAT_UNSUPPORTED without a decoder, FILE_TOO_LARGE."""
    context: Any = stream.codec_context
    if context is None:
        raise LoomError("FORMAT_UNSUPPORTED", "no decoder for the video stream is installed")
    if context.width * context.height > max_pixels:
        raise LoomError("FILE_TOO_LARGE", f"frames of {context.width} x {context.height} pixels are too large")
    if not context.is_open:
        # Frame threads would each decode frames that are thrown away after a seek, and hold more in memory.
        context.thread_type = "SLICE"
        context.thread_count = 1


def _even(pictures: list[Image.Image], count: int) -> list[Image.Image]:
    if len(pictures) <= count:
        return pictures
    return [pictures[(2 * number + 1) * len(pictures) // (2 * count)] for number in range(count)]
