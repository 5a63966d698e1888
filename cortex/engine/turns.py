"""Takes turns with the other worker processes where only so many may be at work at a time.

What is counted are the pages of the board, so that whoever dies leaves nothing behind, and a new limit holds for those
who wait and those who come. Who waits longest is first; where nothing is limited, nobody counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from cortex.engine.board import IDLE, NO_LIMIT, WAITING, WALKING, BoardSlot
from cortex.engine.concurrency import JOBS, Limited

SHORTEST_S, LONGEST_S = 0.001, 0.05
"""How long a worker that waits looks away: an eighth of the time that it has waited, within these bounds."""

_DEAD_S = 10.0
"""A worker that has outlived its deadline by so much is none any more, whatever its page says."""

_JOBS = 1
"""The number of the name `jobs`; those of others follow."""

_FILE = -1, -1
"""Stands for lane and step of a worker that takes a file."""


def numbers(limits: Mapping[str, int], limited: Sequence[Limited]) -> list[int]:
    """The limits as the board has them, by the number of their names."""
    return [limits.get(name, NO_LIMIT) for name in (JOBS, *(one.name for one in limited))]


class Turns:
    """The worker's side. Whether anything is limited at all, `BoardSlot.limited` tells."""

    def __init__(self, board: BoardSlot, limited: Sequence[Limited]) -> None:
        self._board = board
        self._steps: dict[int, frozenset[tuple[int, int]]] = dict(
            enumerate((one.steps for one in limited), start=_JOBS + 1)
        )
        self._names: dict[tuple[int, int], list[int]] = {_FILE: [_JOBS]}
        for name, steps in self._steps.items():
            for step in steps:
                self._names.setdefault(step, []).append(name)

    def take_file(self, token: int, stage: int) -> None:
        """Waits until one more worker may have a file in hand, and marks it on the page; during a halt not at all."""
        self._board.take(token, stage)
        if self._board.limited:
            self._wait(*_FILE)
            self._board.take(token, stage)

    def take_step(self, lane: int, step: int) -> bool:
        """Waits until the step, which stands on the page already, may begin; its time starts then. False when the
        worker is to halt before that."""
        return self._wait(lane, step)

    def _wait(self, lane: int, step: int) -> bool:
        since = time.monotonic()
        while not self.begin(lane, step, since):
            if self._board.halted:
                return False
            waited = time.monotonic() - since
            time.sleep(min(max(waited / 8, SHORTEST_S), LONGEST_S))
        return True

    def begin(self, lane: int, step: int, since: float) -> bool:
        """Begins, if nobody must be waited for; else the worker is marked as one that waits `since` then."""
        names = self._names.get((lane, step), ())
        limits = {name: number for name in names if (number := self._board.limit(name)) != NO_LIMIT}
        if not limits:
            self._board.begin(lane, step)
            return True
        if not self._board.lock():
            self._board.wait(lane, step, next(iter(limits)), since)
            return False
        try:
            full = self._full(limits, since)
            if full is None:
                self._board.begin(lane, step)
            else:
                self._board.wait(lane, step, full, since)
        finally:
            self._board.unlock()
        return full is None

    def _full(self, limits: dict[int, int], since: float) -> int | None:
        """The first name for which it is not this worker's turn: others are there, or wait for longer."""
        taken = dict.fromkeys(limits, 0)
        dead = time.monotonic() - _DEAD_S
        for other in self._board.others():
            if other.deadline < dead:
                continue
            for name in taken:
                if other.stage == WAITING and other.waits_for == name:
                    taken[name] += other.since < since
                elif name == _JOBS:
                    taken[name] += other.stage != IDLE
                elif other.stage == WALKING:
                    taken[name] += (other.lane, other.step) in self._steps[name]
        return next((name for name, number in limits.items() if taken[name] >= number), None)
