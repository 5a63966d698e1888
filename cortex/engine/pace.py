"""How fast files are begun with, when reading them is not to take the whole disk or network."""

from __future__ import annotations

import time
from collections.abc import Callable


class Pace:
    """A token bucket over the sizes of files: in the long run no more than `bytes_per_s` are begun with, 0 for any
    number. A file may be larger than what is left; the next one waits for it."""

    def __init__(self, bytes_per_s: int, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = bytes_per_s
        self._now = now
        self._left = float(bytes_per_s)
        self._since = now()

    @property
    def waits(self) -> bool:
        """Whether no file may be begun with at the moment."""
        if not self._rate:
            return False
        now = self._now()
        self._left = min(self._left + (now - self._since) * self._rate, self._rate)
        self._since = now
        return self._left <= 0

    def begin(self, size: int) -> None:
        """A file of so many bytes is begun with."""
        self._left -= size
