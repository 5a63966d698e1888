"""Files whose content another run has in hand: it is asked about again and again, ever more rarely."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable

from cortex.engine.entry import Entry
from cortex.engine.waiting import Waits, said

FIRST_S = 0.25
LONGEST_S = 4.0
"""How long a file waits before it is asked about again: at first, and at most."""


_MOMENTS = 2


class Elsewhere:
    """To be used under a lock."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: list[tuple[float, int, Entry]] = []

    def put_off(self, entry: Entry) -> None:
        wait_s = min(FIRST_S * 2**entry.put_off, LONGEST_S)
        entry.put_off += 1
        heapq.heappush(self._waiting, (self._clock() + wait_s, entry.token, entry))

    def next(self) -> Entry | None:
        """One that has waited for long enough."""
        if self._waiting and self._waiting[0][0] <= self._clock():
            return heapq.heappop(self._waiting)[2]
        return None

    def reasons(self) -> tuple[str, ...]:
        """A sentence about those that wait for more than a moment, if there are any."""
        count = sum(entry.put_off > _MOMENTS for _, _, entry in tuple(self._waiting))
        return (said(count, Waits.ELSEWHERE),) if count else ()

    def all(self) -> list[Entry]:
        """Those that wait; they do no more."""
        waiting, self._waiting = self._waiting, []
        return [entry for _, _, entry in waiting]
