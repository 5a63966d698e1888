"""How an asset goes on that came back from the sandbox: through steps beside it, later, or back into it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from reactivex.internal import DisposedException
from reactivex.scheduler import EventLoopScheduler, ThreadPoolScheduler

from cortex.engine.beside import Beside
from cortex.engine.reporting import Finished, identified
from loom.model import Depth

_SLOW_STEPS = 8


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
        self._slow = ThreadPoolScheduler(_SLOW_STEPS)
        self._lock = threading.Lock()
        self._held: list[tuple[Finished, bool]] | None = None

    def go_on(self, finished: Finished, *, stored: bool = False, slowly: bool = False) -> Finished | None:
        """Carries an asset through steps beside the sandbox until it must be stored; None when someone else goes on
        with it. `stored`: all that stands before its next step is; `slowly`: this thread may wait for the network."""
        lane = identified(finished.entry).lane
        while not finished.done:
            if self._holds(finished, stored):
                return None
            step = finished.run.lane.plan.steps[finished.walked.next_step]
            if step.sandboxed:
                self._back(finished)
                return None
            if self._beside.needs_storing_first(lane, step.index) and not stored:
                return finished
            if self._beside.is_slow(lane, step.index) and not slowly:
                self._slow.executor.submit(self._apart, finished, stored, slowly=True)
                return None
            finished = self._beside.carry_on(finished.entry, finished.run, finished.walked)
            if finished.turn:
                self._beside.turns.wait(finished.turn, partial(self._with_turn, finished, stored))
                return None
            if finished.wait_s:
                self._later.schedule_relative(finished.wait_s, self._again, (finished, stored))
                return None
            stored = False
        return finished

    def pause(self, depth: Depth | None) -> None:
        """Holds what is not done, or goes on with what was held."""
        with self._lock:
            held, self._held = self._held or [], [] if depth is not None and depth >= Depth.NODE else None
        for waited in held:
            self._later.schedule(self._again, waited)

    def close(self, *, wait: bool) -> None:
        """`wait`: for steps that are at work."""
        self._slow.executor.shutdown(wait=wait, cancel_futures=True)

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

    def _apart(self, finished: Finished, stored: bool, *, slowly: bool = False) -> None:
        try:
            after = self.go_on(finished, stored=stored, slowly=slowly)
            if after is not None:
                self._tell(after)
        except Exception as error:
            self._fail(error)
