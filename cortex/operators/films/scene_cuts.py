"""Where one scene of a film ends and another begins."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

from cortex.media.shown import Planes
from cortex.operators.films.picture_faults import mean_difference

_AHEAD = 2
"""How many frames on each side a change is compared with, and so by how many frames an answer is late."""
_FLASH = 0.5
"""A change counts only if, two frames on, at least this part of it is left."""
_UNIFORM = 2.0
"""Frames whose brightness deviates less from its mean, of 255 steps, are of one colour."""
_MIDDLE = 64
"""Of longer runs of one colour not every frame is remembered."""
_BLINK = 3
"""So few frames of one colour that come suddenly are a flash, unless the picture is another after them."""


class Boundary(NamedTuple):
    """The first frame of a new scene, when it is shown, and how the old one ended: `cut` or `fade`."""

    frame: int
    time_s: float
    kind: str


class _Seen(NamedTuple):
    number: int
    time_s: float
    planes: Planes
    change: float
    uniform: bool


class CutFinder:
    """Finds cuts and fades while frames pass by, holding a handful of them.

    The change of a frame is the mean absolute difference from the one before, of brightness and both colour
    differences added up, in steps of 255. A cut is a change of at least `threshold` that is `ratio` times the mean of
    the two changes before and the two after it, so that motion alone is none, and that still shows two frames later,
    so that a flash is none. A fade passes through frames of one colour; the boundary is in their middle. After a
    boundary there is none for `min_scene_s`.
    """

    def __init__(self, threshold: float, ratio: float, min_scene_s: float) -> None:
        self._threshold = threshold
        self._ratio = ratio
        self._min_scene_s = min_scene_s
        self._window: deque[_Seen] = deque(maxlen=2 * _AHEAD + 1)
        self._last_s = 0.0
        self._run: list[_Seen] = []
        self._run_length = 0
        self._before_run: _Seen | None = None

    def add(self, number: int, time_s: float, planes: Planes) -> Boundary | None:
        """A boundary that is known with this frame; it lies a little before it."""
        before = self._window[-1] if self._window else None
        change = difference(before.planes, planes) if before is not None else 0.0
        seen = _Seen(number, time_s, planes, change, _is_uniform(planes))
        faded = self._fade(seen, before)
        self._window.append(seen)
        return self._accepted(faded or self._cut())

    def end(self) -> Boundary | None:
        """A cut among the last frames."""
        while len(self._window) > _AHEAD + 1:
            if len(self._window) < 2 * _AHEAD + 1 and (found := self._accepted(self._cut_at(_AHEAD))):
                return found
            self._window.popleft()
        return None

    def _cut(self) -> Boundary | None:
        return self._cut_at(_AHEAD) if len(self._window) == 2 * _AHEAD + 1 else None

    def _cut_at(self, place: int) -> Boundary | None:
        window = list(self._window)
        seen, before, last = window[place], window[place - 1], window[-1]
        if seen.change < self._threshold or seen.uniform or before.uniform:
            return None
        others = [other.change for at, other in enumerate(window) if at != place]
        if seen.change < self._ratio * sum(others) / len(others):
            return None
        # A flash comes back to what was; its end is a change from the flash alone.
        if last is not seen and any(
            difference(earlier.planes, last.planes) < _FLASH * seen.change for earlier in window[:place]
        ):
            return None
        return Boundary(seen.number, seen.time_s, "cut")

    def _fade(self, seen: _Seen, before: _Seen | None) -> Boundary | None:
        """A boundary where frames of one colour end. None at the start of a film."""
        if seen.uniform:
            if not self._run_length:
                self._before_run = before
            self._run_length += 1
            self._run.append(seen)
            if len(self._run) > _MIDDLE:
                self._run = self._run[::2]
            return None
        run, length = self._run, self._run_length
        self._run, self._run_length = [], 0
        if not run or self._before_run is None:
            return None
        sudden = length <= _BLINK and run[0].change >= self._threshold
        if sudden and difference(self._before_run.planes, seen.planes) < self._threshold:
            return None
        middle = run[len(run) // 2]
        return Boundary(middle.number, middle.time_s, "fade")

    def _accepted(self, found: Boundary | None) -> Boundary | None:
        if found is None or found.time_s - self._last_s < self._min_scene_s:
            return None
        self._last_s = found.time_s
        return found


def difference(one: Planes, other: Planes) -> float:
    """The mean absolute difference of two pictures of one shape: brightness and both colours added up, 0 to 765."""
    return sum(mean_difference(a, b) for a, b in zip(one, other, strict=True))


def _is_uniform(planes: Planes) -> bool:
    mean = int(planes.y.sum(dtype=np.uint32)) // planes.y.size
    return mean_difference(planes.y, np.uint8(mean)) < _UNIFORM  # type: ignore[arg-type]
