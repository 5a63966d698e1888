"""The runs that go on right now, and how far they are. Nothing of this outlives the process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from loom.bus.encoding import progress_json
from loom.events import Event, Progress, RunEvent, RunHead

PROGRESS_EVERY_S = 0.25
FORGOTTEN_AFTER_S = 3600.0
"""A run that nothing was heard of for so long has died without saying so."""

MOST_RUNS = 1000
_ENDED = frozenset({"COMPLETED", "PARTIAL", "FAILED", "CANCELLED"})
_STEERED = frozenset({"PAUSED", "RESUMED"})


class Live(NamedTuple):
    """A run that goes on. `started` (None when its beginning was not heard) and `heard` are microseconds since 1970."""

    run: RunHead
    started: int | None
    heard: int
    paused: bool = False
    progress: Progress | None = None
    stamp: int = 0


class LiveRuns:
    """Not safe for threads: the hub holds its lock around every call."""

    def __init__(self) -> None:
        self._runs: dict[UUID, Live] = {}
        self._announced: dict[UUID, float] = {}
        self._ended: dict[UUID, None] = {}
        self._json: dict[UUID, tuple[int, bytes]] = {}
        self.stamp = 0

    def hear(self, run: RunHead, events: Sequence[Event]) -> None:
        """Takes note of runs that begin and end."""
        for event in events:
            if type(event) is RunEvent:
                self._note(run, event)

    def tell(self, run: RunHead, progress: Progress) -> bool:
        """Keeps the newest progress; says whether it is time to pass it on."""
        if run.uuid in self._ended:
            return False
        now = time.monotonic()
        known = self._runs.get(run.uuid) or Live(run, None, 0)
        due = now - self._announced.get(run.uuid, -1.0) >= PROGRESS_EVERY_S
        if due:
            self.stamp += 1
            self._announced[run.uuid] = now
        stamp = self.stamp if due else known.stamp
        self._keep(known._replace(heard=_now_us(), progress=progress, stamp=stamp))
        return due

    def newer(self, stamp: int) -> Iterator[Live]:
        """Runs whose progress was passed on after that stamp."""
        return (live for live in self._runs.values() if live.stamp > stamp)

    def json(self, live: Live) -> bytes:
        """The progress of a run as a frame, made once."""
        made = self._json.get(live.run.uuid)
        if made is None or made[0] != live.stamp:
            assert live.progress is not None
            made = self._json[live.run.uuid] = (live.stamp, progress_json(live.run, live.progress))
        return made[1]

    def all(self) -> list[Live]:
        """The runs in the order in which they were first heard of."""
        oldest = _now_us() - int(FORGOTTEN_AFTER_S * 1_000_000)
        for uuid in [uuid for uuid, live in self._runs.items() if live.heard < oldest]:
            self._drop(uuid)
        return list(self._runs.values())

    def _note(self, run: RunHead, event: RunEvent) -> None:
        if event.status in _ENDED:
            self._drop(run.uuid)
            self._ended[run.uuid] = None
            if len(self._ended) > MOST_RUNS:
                del self._ended[next(iter(self._ended))]
            return
        if event.status == "QUEUED":
            self._drop(run.uuid)
            return
        known = self._runs.get(run.uuid)
        if known is None and event.status in _STEERED:
            return  # it may wait for a worker; if it goes on, its progress is heard soon
        known = known or Live(run, event.time, 0)
        if event.status == "STARTED":
            self._ended.pop(run.uuid, None)  # it was only taken for ended
            known = known._replace(progress=None, stamp=0)  # another worker goes on with it
        self._keep(known._replace(heard=_now_us(), paused=event.status == "PAUSED" or bool(event.paused)))

    def _keep(self, live: Live) -> None:
        self._runs[live.run.uuid] = live
        if len(self._runs) > MOST_RUNS:
            self._drop(next(iter(self._runs)))

    def _drop(self, uuid: UUID) -> None:
        for kept in (self._runs, self._announced, self._json):
            kept.pop(uuid, None)


def _now_us() -> int:
    return time.time_ns() // 1000
