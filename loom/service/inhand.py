"""Which assets are being worked on, and by whom. Kept in memory: when that is lost, some work may be done twice, and
nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from loom.steering import LEASE_S
from loom.verbs import Taker

JUST_TAKEN_S = 2.0
"""Whoever says what it goes on with may not know yet what it has taken so short a time ago."""


class _Taken(NamedTuple):
    taker: Taker
    since: float


class InHand:
    """Whoever is not heard of for `LEASE_S` has nothing in hand any more. Safe for threads. `clock` gives monotonic
    seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[Taker, float] = {}
        self._taken: dict[tuple[bytes, bytes], _Taken] = {}

    def take(self, taker: Taker, assets: Sequence[bytes]) -> list[bool]:
        """Of each asset whether the taker has it in hand from now on; not so where another has it under the same
        plan."""
        with self._lock:
            new = _Taken(taker, self._hear(taker))
            return [self._taken.setdefault((taker.plan, asset), new).taker == taker for asset in assets]

    def keep(self, taker: Taker, assets: Iterable[bytes]) -> None:
        """The taker goes on with those of these that it has taken, and has let go of all others; of everything where
        there are none."""
        kept = {(taker.plan, asset) for asset in assets}
        with self._lock:
            before = self._hear(taker) - JUST_TAKEN_S if kept else self._clock()
            self._drop(lambda key, one: one.taker == taker and one.since <= before and key not in kept)

    def _hear(self, taker: Taker) -> float:
        now = self._clock()
        self._until[taker] = now + LEASE_S
        if any(until <= now for until in self._until.values()):
            self._until = {one: until for one, until in self._until.items() if until > now}
            self._drop(lambda _, one: one.taker not in self._until)
        return now

    def _drop(self, is_over: Callable[[tuple[bytes, bytes], _Taken], bool]) -> None:
        self._taken = {key: one for key, one in self._taken.items() if not is_over(key, one)}
