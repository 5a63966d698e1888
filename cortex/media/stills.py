"""Pictures for a contact sheet, taken while a film is decoded from end to end for others."""

from __future__ import annotations

from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from cortex.media.frames import is_short, picture_of, pixel_aspect
from cortex.media.phases import as_damage
from loom.errors import LoomError


class Stills:
    """Chooses as `Frames.spread` does: at `count` moments, spread evenly over the length, the key frame at or before
    each, none twice; of a short film with few of them the first frame at or after each moment. The longer side has at
    most `side` pixels."""

    def __init__(self, count: int, side: int, duration_s: float) -> None:
        self._side = side
        self._moments = [(number + 0.5) / count * duration_s for number in range(count)]
        self._duration = duration_s
        self._keys: list[Image.Image] = []
        self._firsts: list[Image.Image] = []
        self._passed = 0
        self._last: VideoFrame | None = None
        self._aspect = 1.0
        self._start_s = 0.0
        self._is_short = False
        self._fault: LoomError | None = None

    def begin(self, stream: VideoStream) -> None:
        self._aspect = pixel_aspect(stream)
        self._start_s = float((stream.start_time or 0) * (stream.time_base or 0))
        self._is_short = is_short(stream, self._duration)

    def offer(self, frame: VideoFrame) -> None:
        """The next frame, in the order in which they are shown."""
        told: float | None = frame.time
        if told is None or self._fault is not None:
            return
        try:
            self._take(frame, told - self._start_s)
        except LoomError as error:
            self._fault = error
        except Exception as error:
            self._fault = as_damage(error)

    def found(self) -> list[Image.Image]:
        """After the last frame, in order; empty when there are none."""
        if self._fault is not None:
            return []
        if self._last is not None:
            self._pass_to(float("inf"))
        if 2 * len(self._keys) < len(self._moments) and self._is_short:
            return self._firsts or self._keys
        return self._keys

    def _take(self, frame: VideoFrame, time_s: float) -> None:
        if frame.key_frame:
            if self._last is not None:
                self._pass_to(time_s)
            self._last = frame
        due = len(self._firsts)
        if self._is_short and due < len(self._moments) and time_s >= self._moments[due]:
            self._firsts.append(self._picture(frame))

    def _pass_to(self, time_s: float) -> None:
        """The last key frame is that of all moments before `time_s` that had none."""
        before = self._passed
        while self._passed < len(self._moments) and self._moments[self._passed] < time_s:
            self._passed += 1
        if self._passed > before and self._last is not None:
            self._keys.append(self._picture(self._last))

    def _picture(self, frame: VideoFrame) -> Image.Image:
        return picture_of(frame, self._aspect, self._side)
