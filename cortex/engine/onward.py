"""How an asset goes on that came back from the sandbox: through steps beside it, later, or back into it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from reactivex.internal import DisposedException
from reactivex.scheduler import EventLoopScheduler

from cortex.engine.apart import Apart
from cortex.engine.beside import Beside, Pool
from cortex.engine.reporting import Finished, identified
from cortex.engine.waiting import Waiting, Waits
from loom.model import Depth

_THREADS = {Pool.NETWORK: 8, Pool.PROGRAM: os.cpu_count() or 1, Pool.EFFECT: 4}


class Onward:
    """Carries assets on. `back` hands one to the sandbox again; `tell` takes one that was carried on by another thread
    than the caller's, `fail` what went wrong there. While a pause goes deeper than new assets, all are held."""

    def __init__(
        self,
        beside: Beside,
        back: Callable[[Finished], None],
        tell: Callable[[Finished], None],
        fail: Callable[[Exception], None],
        later: EventLoopScheduler,
    ) -> None:
        self._beside = beside
        self._back = back
        self._tell = tell
        self._fail = fail
        self._later = later
        self._pools = {pool: Apart(f"{pool} step", most) for pool, most in _THREADS.items()}
        self._lock = threading.Lock()
        self._held: list[tuple[Finished, bool]] | None = None
        self.waiting = Waiting()

    def go_on(self, finished: Finished, *, stored: bool = False, within: Pool | None = None) -> Finished | None:
        """Carries an asset through steps beside the sandbox until it must be stored; None when someone else goes on
        with it. `stored`: all that stands before its next step is; `within`: this is a thread of that pool."""
        lane, token = identified(finished.entry).lane, finished.entry.token
        while not finished.done:
            if self._holds(finished, stored):
                return None
            step = finished.run.lane.plan.steps[finished.walked.next_step]
            if step.sandboxed:
                self._hand_back(finished)
                return None
            if self._beside.needs_storing_first(lane, step.index) and not stored:
                return finished
            pool = self._beside.pool(lane, step.index)
            if pool is not None and pool is not within:
                self.waiting.begin(token, Waits.AT, step.node)
                self._pools[pool].give(partial(self._apart, finished, stored, within=pool))
                return None
            finished = self._beside.carry_on(finished.entry, finished.run, finished.walked)
            self.waiting.end(token)
            if finished.turn:
                self.waiting.begin(token, Waits.TURN, " and ".join(finished.turn))
                self._beside.turns.wait(finished.turn, partial(self._with_turn, finished, stored))
                return None
            if finished.wait_s:
                self.waiting.begin(token, Waits.LOOM if finished.entry.tries is None else Waits.AGAIN, step.node)
                self._later.schedule_relative(finished.wait_s, self._again, (finished, stored))
                return None
            stored = False
        return finished

    def pause(self, depth: Depth | None) -> None:
        """Holds what is not done, or goes on with what was held."""
        with self._lock:
            held, self._held = self._held or [], [] if depth is not None and depth >= Depth.NODE else None
        self._beside.pause(depth)
        for waited in held:
            self._later.schedule(self._again, waited)

    def close(self, *, wait: bool) -> None:
        """`wait`: for steps that are at work."""
        for pool in self._pools.values():
            pool.close(wait=wait)

    def _hand_back(self, finished: Finished) -> None:
        """What it waits for may have to come from a server."""
        if finished.walked.wanted:
            self._pools[Pool.NETWORK].give(partial(self._fetch, finished))
        else:
            self._back(finished)

    def _fetch(self, finished: Finished) -> None:
        try:
            self._back(finished)
        except Exception as error:
            self._fail(error)

    def _holds(self, finished: Finished, stored: bool) -> bool:
        with self._lock:
            if self._held is None:
                return False
            self._held.append((finished, stored))
            return True

    def _again(self, _: object, waited: tuple[Finished, bool] | None) -> None:
        if waited is not None:
            self._apart(*waited)

    def _with_turn(self, finished: Finished, stored: bool) -> None:
        finished.entry.turn = finished.turn
        with suppress(DisposedException):  # after the end, nothing goes on
            self._later.schedule(self._again, (finished._replace(turn=()), stored))

    def _apart(self, finished: Finished, stored: bool, *, within: Pool | None = None) -> None:
        try:
            after = self.go_on(finished, stored=stored, within=within)
            if after is not None:
                self._tell(after)
        except Exception as error:
            self._fail(error)
