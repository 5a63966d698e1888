"""Who stops or pauses an ingest while it goes on: Ctrl-C, and what Loom says of its runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from cortex.engine.concurrency import smallest
from loom.model import Depth, Pause
from loom.steering import RunOrders


class Steered(Protocol):
    """What stands still, goes on, or ends; see `Executor`."""

    def pause(self, depth: Depth | None) -> None: ...

    def limit(self, concurrency: Mapping[str, int]) -> None: ...

    def stop(self) -> None: ...

    def abort(self) -> None: ...


class Helm:
    """Steers one ingest. Several pipelines of one ingest share its files: what one of their runs is told holds for
    all. `limits` are this machine's own on what is done at a time. `interrupt` takes no lock: it may be called from a
    signal handler."""

    def __init__(
        self, steered: Steered, note: Callable[[str], None], limits: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        self._steered = steered
        self._note = note
        self._limits = limits
        self.concurrency: Mapping[str, int] = {}
        self.interrupted = False
        self.cancelled = False
        self.lost = False
        self.pause: Pause | None = None
        self.limit({})

    def interrupt(self) -> None:
        """The first time: no new files, those in hand are finished. The second time: ends at once."""
        if self.interrupted:
            self._steered.abort()
        self.interrupted = True
        self._end()

    def obey(self, orders: Sequence[RunOrders]) -> None:
        """Does what Loom says; saying it again changes nothing."""
        if any(order.lost for order in orders):
            if not self.lost:
                self.lost = True
                self._note("the run was given to another worker")
                self._steered.abort()
        elif any(order.cancelled for order in orders):
            if not self.cancelled:
                self.cancelled = True
                self._note("the run was cancelled")
                self._end()
        else:
            self._stand_still([order.pause for order in orders if order.pause is not None])
        self.limit(smallest(*(order.limits for order in orders)))

    def limit(self, limits: Mapping[str, int]) -> None:
        """What Loom says of how much is done at a time: the smaller number holds, its or this machine's."""
        concurrency = smallest(self._limits, limits)
        if concurrency != self.concurrency:
            self.concurrency = concurrency
            self._steered.limit(concurrency)

    def _stand_still(self, pauses: list[Pause]) -> None:
        pause = min(pauses, key=lambda pause: (-pause.depth, pause.since), default=None)
        if pause == self.pause:
            return
        self.pause = pause
        self._steered.pause(None if pause is None else pause.depth)
        if pause is None:
            self._note("the run goes on")
        else:
            why = f": {pause.reason}" if pause.reason else ""
            self._note(f"the run is paused by {pause.owner}{why}")

    def _end(self) -> None:
        """What stands still in mid-walk is not waited for."""
        if self.pause is not None and self.pause.depth > Depth.NEW:
            self._steered.abort()
        self._steered.stop()
