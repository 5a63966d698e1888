"""Tells how far an ingest is while it goes on: to the display, to the bus, and of nodes that take long."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from cortex.engine.executor import Executor
from cortex.engine.sandbox import Sandbox
from cortex.engine.telling import Status, shown
from loom.errors import LoomError
from loom.events import Progress

if TYPE_CHECKING:
    from cortex.engine.ingest import Ingest

TICK_S = 0.1
PROGRESS_EVERY = 3
STEER_EVERY = 5
ANNOUNCE_AFTER_S = 0.5
"""A node that takes longer is announced as STARTED while it works; shorter ones when they are stored."""


class Ticker:
    """A thread that looks at a running ingest ten times a second."""

    def __init__(self, ingest: Ingest, executor: Executor, sandbox: Sandbox, started: float) -> None:
        self._ingest = ingest
        self._executor = executor
        self._sandbox = sandbox
        self._started = started
        self._end = threading.Event()
        self._totals: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)
        self._counter: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        if self._counter is not None:
            self._counter.join()

    def _run(self) -> None:
        ticks = 0
        while not self._end.wait(TICK_S):
            ticks += 1
            with suppress(LoomError):  # a Loom that is in trouble ends the run elsewhere
                current = self._announce()
                self._count_source()
                self._ingest.status(self._status(current))
                if ticks % PROGRESS_EVERY == 0:
                    self._progress(current)
                if ticks % STEER_EVERY == 0:
                    self._ingest.steer()

    def _announce(self) -> tuple[str, ...]:
        """The files in hand; nodes that work for long already are told to the bus as STARTED."""
        paths = []
        for current in self._sandbox.current():
            entry = self._executor.intake.find(current.token)
            if entry is None:
                continue
            paths.append(shown(entry.path))
            if current.step >= 0 and time.monotonic() - current.since > ANNOUNCE_AFTER_S:
                self._executor.announce(current.token, current.step, current.lane)
        return tuple(paths)

    def _count_source(self) -> None:
        """Starts counting the source once there is work, so that an unchanged folder costs nothing more."""
        count = self._ingest.order.total
        if count is None or self._counter is not None or not any(run.assets.seen for run in self._ingest.runs):
            return

        def run() -> None:
            self._totals = count(self._end)

        self._counter = threading.Thread(target=run, name="count", daemon=True)
        self._counter.start()

    def _status(self, current: tuple[str, ...]) -> Status:
        runs, files = self._ingest.runs, self._ingest.files
        total_files, total_bytes = self._totals or (None, None)
        unchanged = files.unchanged
        return Status(
            time.monotonic() - self._started,
            sum(run.assets.seen for run in runs) + unchanged,
            total_files,
            sum(run.bytes_read for run in runs),
            total_bytes,
            unchanged,
            sum(run.assets.failed + run.assets.unreadable for run in runs),
            current,
            files.bytes_unchanged,
        )

    def _progress(self, current: tuple[str, ...]) -> None:
        """The total of a run is what needs work; of several runs nobody knows it beforehand."""
        loom, runs = self._ingest.loom, self._ingest.runs
        if loom is None:
            return
        total = self._totals[0] - self._ingest.files.unchanged if self._totals and len(runs) == 1 else None
        for run in runs:
            if run.opened or run.lane.plan.dry_run:
                loom.progress(
                    run.head,
                    Progress(
                        assets=run.assets, nodes=run.nodes, bytes_read=run.bytes_read, total=total, current=current
                    ),
                )
