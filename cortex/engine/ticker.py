"""Tells how far an ingest is while it goes on: to the display, to the bus, and of nodes that take long."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from cortex.engine.costs import Amount, kind_of
from cortex.engine.executor import Executor
from cortex.engine.outlook import Ahead, AtWork, Outlook
from cortex.engine.sandbox import Sandbox
from cortex.engine.telling import Status, in_words, shown
from loom.errors import LoomError
from loom.events import Progress

if TYPE_CHECKING:
    from cortex.engine.ingest import Ingest

TICK_S = 0.1
PROGRESS_EVERY = 3
STEER_EVERY = 5
ANNOUNCE_AFTER_S = 0.5
"""A node that takes longer is announced as STARTED while it works; shorter ones when they are stored."""

_FAREWELL_S = 5.0


class Ticker:
    """A thread that looks at a running ingest ten times a second."""

    def __init__(self, ingest: Ingest, executor: Executor, sandbox: Sandbox, started: float) -> None:
        self._ingest = ingest
        self._executor = executor
        self._sandbox = sandbox
        self._started = started
        order = ingest.order
        self._outlook = Outlook(executor.costs, jobs=order.jobs, read_limit=order.read_limit)
        self._end = threading.Event()
        self._total: Amount | None = None
        self._begun: dict[int, tuple[float, AtWork]] = {}
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)
        self._counter: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
        if self._counter is not None:
            self._counter.join(_FAREWELL_S)  # a Loom far away may not answer

    def _run(self) -> None:
        ticks = 0
        while not self._end.wait(TICK_S):
            ticks += 1
            with suppress(LoomError):  # a Loom that is in trouble ends the run elsewhere
                current, at_work = self._look()
                self._look_ahead()
                status = self._status(current, at_work)
                self._ingest.status(status)
                if ticks % PROGRESS_EVERY == 0:
                    self._progress(status)
                if ticks % STEER_EVERY == 0:
                    self._ingest.steer()

    def _look(self) -> tuple[tuple[str, ...], list[AtWork]]:
        """The files in hand; nodes that work for long already are told to the bus as STARTED."""
        paths, begun, now = [], {}, time.monotonic()
        for current in self._sandbox.current():
            entry = self._executor.intake.find(current.token)
            if entry is None:
                continue
            paths.append(shown(entry.path))
            since, _ = self._begun.get(current.token, (current.since or now, None))
            found = entry.found
            begun[current.token] = since, AtWork(kind_of(found.name), found.stat.size, max(now - since, 0.0))
            if current.step >= 0 and now - current.since > ANNOUNCE_AFTER_S:
                self._executor.announce(current.token, current.step, current.lane)
        for token, (since, one) in self._begun.items():
            if token not in begun and self._executor.intake.find(token) is not None:
                begun[token] = since, one._replace(is_over=True)
        self._begun = begun
        return tuple(paths), [one for _, one in begun.values()]

    def _look_ahead(self) -> None:
        """Once there is work, so that an unchanged folder costs nothing more, asks Loom what such files took before,
        and counts the source."""
        if self._counter is None and any(run.assets.seen for run in self._ingest.runs):
            self._counter = threading.Thread(target=self._ask_and_count, name="count", daemon=True)
            self._counter.start()

    def _ask_and_count(self) -> None:
        loom, count = self._ingest.loom, self._ingest.order.total
        if loom is not None:
            with suppress(LoomError):
                for run in self._ingest.runs:
                    self._executor.costs.learn(loom.costs(run.lane.plan.pipeline))
        if count is not None:
            self._total = count(self._end)

    def _ahead(self) -> Ahead | None:
        """What is to be done, once the source was counted or is at its end."""
        found, total, files = self._executor.intake.found, self._total, self._ingest.files
        if total is None and not found.is_all:
            return None
        if total is None or found.is_all:
            return Ahead(found, None, 0, 0)
        unseen = sum(total.files) - files.unchanged - sum(found.files)
        unseen_bytes = sum(total.bytes) - files.bytes_unchanged - sum(found.bytes)
        return Ahead(found, total, max(unseen, 0), max(unseen_bytes, 0))

    def _status(self, current: tuple[str, ...], at_work: list[AtWork]) -> Status:
        runs, files, outlook = self._ingest.runs, self._ingest.files, self._outlook
        found, helm = self._executor.intake.found, self._ingest.helm
        stopping = helm.interrupted or helm.cancelled
        stands_still = stopping or helm.pause is not None
        outlook.look(time.monotonic(), self._ahead(), at_work, stands_still=stands_still, is_settled=found.is_all)
        unchanged, unchanged_bytes = files.unchanged, files.bytes_unchanged
        total_files = total_bytes = None
        if found.is_all:
            total_files, total_bytes = sum(found.files) + unchanged, sum(found.bytes) + unchanged_bytes
        elif self._total is not None:
            total_files, total_bytes = sum(self._total.files), sum(self._total.bytes)
        return Status(
            seconds=time.monotonic() - self._started,
            files_done=sum(self._executor.costs.done.files) + unchanged,
            files_total=total_files,
            bytes_done=sum(run.bytes_read for run in runs),
            bytes_total=total_bytes,
            unchanged=unchanged,
            failed=sum(run.assets.failed + run.assets.unreadable for run in runs),
            current=current,
            bytes_unchanged=unchanged_bytes,
            fraction=outlook.fraction,
            seconds_left=outlook.seconds_left,
            files_per_s=outlook.rate,
            paused=None if helm.pause is None else in_words(helm.pause),
            stopping=stopping,
            waiting=(*self._executor.onward.waiting.reasons(), *self._executor.intake.elsewhere.reasons()),
        )

    def _progress(self, status: Status) -> None:
        """The total of a run is what needs work; of several runs nobody knows it beforehand. How far it is and how
        long it takes is told of all of them together, for they end together."""
        loom, runs = self._ingest.loom, self._ingest.runs
        if loom is None:
            return
        total = status.files_total - status.unchanged if status.files_total is not None and len(runs) == 1 else None
        for run in runs:
            if run.opened or run.lane.plan.dry_run:
                progress = Progress(
                    assets=run.assets,
                    nodes=run.nodes,
                    bytes_read=run.bytes_read,
                    total=total,
                    current=status.current,
                    fraction=status.fraction,
                    seconds_left=status.seconds_left,
                    waiting=status.waiting,
                )
                loom.progress(run.head, progress)
