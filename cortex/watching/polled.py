"""A store that is watched: nobody tells of its changes, so it is gone through now and then."""

from __future__ import annotations

import math
import random

JITTER = 0.1
"""Times are longer or shorter by up to this part, so that many watches do not ask one server at the same moment."""

AWAY_S = 30.0
"""How long it waits at most before a store is tried again that could not be reached; then twice as long each time."""

LONGEST_AWAY_S = 900.0
"""Up to this, or to the usual interval where that is longer."""


class Polled:
    """Has of `Root` what a watch needs. Times are monotonic seconds; `every_s` is infinite under a schedule."""

    ready = True

    def __init__(self, path: bytes, every_s: float) -> None:
        self.path = path
        self._every_s = every_s
        self._away_s = 0.0
        self._next = 0.0

    def begin(self, now: float) -> None: ...

    def end(self) -> None: ...

    def walked(self, now: float) -> None:
        """It was taken to be gone through, which may last."""
        self._next = now + _about(self._every_s)

    def done(self, now: float, *, reached: bool) -> None:
        """It was gone through, or could not be."""
        longest = LONGEST_AWAY_S if math.isinf(self._every_s) else max(self._every_s, LONGEST_AWAY_S)
        first = min(self._every_s, AWAY_S)
        self._away_s = 0.0 if reached else min(self._away_s * 2 or first, longest)
        self._next = now + _about(self._away_s or self._every_s)

    def must_be_walked(self, now: float) -> bool:
        return now >= self._next


def _about(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
