"""What files are at that no worker process has in hand, in words: why an ingest gets on slowly, or not at all."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

AFTER_S = 1.0
"""What is over sooner is no reason."""
_MOST = 8


class Waits(StrEnum):
    """How a file waits, as said of one and of many; in braces where."""

    AT = "is at {}|are at {}"
    AGAIN = "waits to be tried again at {}|wait to be tried again at {}"
    TURN = "waits for its turn at {}|wait for their turn at {}"
    LOOM = "waits until Loom has all that stands before {}|wait until Loom has all that stands before {}"
    ELSEWHERE = "is in the hands of another run{}|are in the hands of another run{}"


class Waiting:
    """By the numbers of files. Safe for threads, as a look may miss what comes or goes just then."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._files: dict[int, tuple[Waits, str, float]] = {}

    def begin(self, token: int, how: Waits, where: str = "") -> None:
        before = self._files.get(token)
        if before is None or before[:2] != (how, where):
            self._files[token] = how, where, self._clock()

    def end(self, token: int) -> None:
        self._files.pop(token, None)

    def reasons(self) -> tuple[str, ...]:
        """A sentence without its full stop for each, that of the most files first."""
        latest = self._clock() - AFTER_S
        counts = Counter((how, where) for how, where, since in tuple(self._files.values()) if since <= latest)
        return tuple(said(count, *what) for what, count in counts.most_common(_MOST))


def said(count: int, how: Waits, where: str = "") -> str:
    one, many = how.format(where, where).split("|")
    return f"1 file {one}" if count == 1 else f"{count:,} files {many}"
