"""How long to wait, and how."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from cortex.shm import waking

_SPINS = 30
"""How often one looks before one sleeps: what is about to come is got sooner than by being woken. Each time others
that want the processor get it first."""


class Patience:
    """A wait of so many seconds; None is without limit. Raises `ValueError` for a negative number."""

    def __init__(self, timeout: float | None) -> None:
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"A timeout cannot be {timeout}: give seconds, 0 for not to wait, None for no limit.")
        self._end = None if timeout is None else time.monotonic() + timeout
        self._longest = waking.longest_sleep()

    def spin(self, is_there: Callable[[], bool]) -> bool:
        """Looks a few times, and whether it was there."""
        for _ in range(_SPINS):
            os.sched_yield()
            if is_there():
                return True
        return False

    def next_sleep(self) -> float:
        """Seconds to sleep at a time, none or less when the time is over."""
        if self._end is None:
            return self._longest
        return min(self._end - time.monotonic(), self._longest)
