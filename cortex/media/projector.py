"""The frames of a video, from the first to the last, for all that want to see them."""

from __future__ import annotations

from typing import Any

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from cortex.media.frames import pixel_aspect, prepare
from cortex.media.shown import Lens, Shown
from cortex.media.stills import Stills
from cortex.media.track import Clock, Track
from cortex.media.wants import Audience, Fed, PictureFeed, PictureReader
from loom.errors import LoomError

_USUAL_RATE = 25.0
_EARLY_S = 1e-4
"""By how much a frame may come before the moment it is wanted for: times in files are rounded."""


class Projector(Track):
    """Raises FORMAT_UNSUPPORTED when there is no decoder, and FILE_TOO_LARGE above `max_pixels`."""

    NAME = "frame"

    def __init__(
        self,
        stream: VideoStream,
        origin_s: float,
        audience: Audience,
        max_pixels: int,
        stills: tuple[Stills, ...] = (),
    ) -> None:
        super().__init__(stream, origin_s)
        prepare(stream, max_pixels)
        self._max_pixels = max_pixels
        self._seats = [_Seat(feed, fed) for feed, fed in audience.values()]
        only_keys = all(feed.key_frames for feed, _ in audience.values())
        stream.codec_context.skip_frame = "NONKEY" if only_keys else "DEFAULT"
        self._stills = () if only_keys else stills
        for taken in self._stills:
            taken.begin(stream)
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        self._usual_s = 1 / rate if 1 <= rate <= 1000 else 1 / _USUAL_RATE
        self._base_s = float(stream.time_base or 0)
        self._clock = Clock(origin_s)
        self._until_s = 0.0
        self._lens: Lens | None = None

    def _show(self, frame: VideoFrame) -> None:
        if frame.width * frame.height > self._max_pixels:
            raise LoomError("FILE_TOO_LARGE", f"a frame of {frame.width} x {frame.height} pixels is too large")
        for taken in self._stills:
            taken.offer(frame)
        time_s = self._clock.at(frame.time, self._until_s)
        self._until_s = time_s + self._length_of(frame)
        self.condition.add(time_s, self._until_s, patched=frame.is_corrupt)
        wanting = [seat for seat in self._seats if seat.wants(frame, time_s)]
        if wanting:
            if self._lens is None:
                self._lens = Lens(frame, pixel_aspect(self.stream))
            shown = Shown(frame, self._lens, self.count, time_s, self._until_s)
            for seat in wanting:
                seat.fed.update(shown)

    def _length_of(self, frame: Any) -> float:
        length: float = frame.duration * self._base_s if frame.duration else 0.0
        return length if 0 < length < _LONGEST_S else self._usual_s


_LONGEST_S = 3600.0


class _Seat:
    """A reader, and which frame it is to see next."""

    def __init__(self, feed: PictureFeed, fed: Fed[PictureReader]) -> None:
        self.fed = fed
        self._rate = feed.rate
        self._only_keys = feed.key_frames
        self._seen = -1

    def wants(self, frame: VideoFrame, time_s: float) -> bool:
        if self._only_keys:
            return frame.key_frame
        if self._rate is None:
            return True
        turn = int((time_s + _EARLY_S) * self._rate)
        if turn <= self._seen:
            return False
        self._seen = turn
        return True
