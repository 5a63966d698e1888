"""Dry runs that were asked for. They have no row anywhere: they are kept here until there are too many of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from loom.errors import LoomError, is_retryable
from loom.model import AssetCounts, Problem, RunClosing, RunState
from loom.shapes import ErrorShape, RunShape
from loom.steering import DISK, Pause, RunOrders, RunRequest
from loom.store.problems import error_of
from loom.store.requests import LEASE_US
from loom.store.runlist import KEPT, SHOWN, Going, Listed, pause_shape, request_shape, with_progress
from loom.store.values import iso, shown_path

MOST = 100


@dataclass
class DryRun:
    """One of them. Times in microseconds since 1970."""

    request: RunRequest
    after_run: int
    number: int
    state: RunState = RunState.QUEUED
    claimed_by: str | None = None
    lease: int = 0
    started: int | None = None
    finished: int | None = None
    cancelled: bool = False
    pauses: dict[str, Pause] = field(default_factory=dict)
    closing: RunClosing | None = None
    error: LoomError | None = None

    @property
    def has_ended(self) -> bool:
        return self.state not in (RunState.QUEUED, RunState.RUNNING)

    def end(self, state: RunState, now: int) -> None:
        self.state, self.finished = state, now
        self.pauses.clear()

    def lives(self, now: int) -> bool:
        """Whether a worker has it that can be told something."""
        return self.state is RunState.RUNNING and self.lease >= now

    def is_free(self, now: int) -> bool:
        return not (self.has_ended or self.lives(now))


class DryRuns:
    """Safe for threads. What is not known raises `NOT_FOUND`, but in `orders`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[UUID, DryRun] = {}
        self._count = 0

    def __contains__(self, uuid: UUID) -> bool:
        with self._lock:
            return uuid in self._runs

    def add(self, request: RunRequest, after_run: int) -> bool:
        """False when it is there already."""
        with self._lock:
            if request.uuid in self._runs:
                return False
            self._count += 1
            self._runs[request.uuid] = DryRun(request, after_run, self._count)
            if len(self._runs) > MOST:
                ended = (uuid for uuid, run in self._runs.items() if run.has_ended)
                del self._runs[next(ended, next(iter(self._runs)))]
            return True

    def claim(self, worker: str, host: str, now: int) -> RunRequest | None:
        with self._lock:
            for run in self._runs.values():
                if run.cancelled and run.is_free(now):
                    run.end(RunState.CANCELLED, now)
                if run.is_free(now) and not run.pauses.keys() - {DISK} and run.request.host in (None, host):
                    run.pauses.clear()
                    run.state, run.claimed_by, run.lease = RunState.RUNNING, worker, now + LEASE_US
                    run.started = now
                    return run.request
        return None

    def orders(self, worker: str, uuid: UUID, now: int) -> RunOrders | None:
        """What the run is to do, its claim renewed; None for one that is not kept here."""
        with self._lock:
            run = self._runs.get(uuid)
            if run is None:
                return None
            lost = run.claimed_by != worker
            if not lost and not run.has_ended:
                run.lease = now + LEASE_US
            cancelled = run.cancelled or run.state is RunState.CANCELLED
            return RunOrders(run=uuid, cancelled=cancelled, lost=lost, pauses=tuple(run.pauses.values()))

    def release(self, uuid: UUID, worker: str, error: LoomError | None, now: int) -> RunState | None:
        """How it stands then; None when nothing has changed."""
        with self._lock:
            run = self._runs[uuid]
            if run.has_ended or run.state is RunState.QUEUED:
                return None
            self._check(run, worker)
            if run.cancelled:
                run.end(RunState.CANCELLED, now)
            elif error is not None:
                run.error = error
                run.end(RunState.FAILED, now)
            else:
                run.state, run.claimed_by, run.started = RunState.QUEUED, None, None
            return run.state

    def open(self, uuid: UUID, worker: str, started: int) -> None:
        with self._lock:
            run = self._runs[uuid]
            self._check(run, worker)
            run.started = started

    def finish(self, closing: RunClosing) -> RunState | None:
        """How it ended by this; None when it had ended before."""
        with self._lock:
            run = self._runs[closing.uuid]
            self._check(run, closing.worker)
            had_ended = run.has_ended
            run.closing = closing
            run.end(RunState.CANCELLED if run.state is RunState.CANCELLED else closing.state, closing.finished)
            return None if had_ended else run.state

    def pause(self, uuid: UUID, pause: Pause) -> None:
        with self._lock:
            self._going_on(uuid).pauses[pause.owner] = pause

    def resume(self, uuid: UUID, owner: str) -> bool:
        """Whether that owner had paused it."""
        with self._lock:
            return self._going_on(uuid).pauses.pop(owner, None) is not None

    def cancel(self, uuid: UUID, now: int) -> bool:
        """Whether it ended by this."""
        with self._lock:
            if self._runs[uuid].state is RunState.CANCELLED:
                return False
            run = self._going_on(uuid)
            run.cancelled = True
            if run.lives(now):
                return False
            run.end(RunState.CANCELLED, now)
            return True

    def pauses(self, uuid: UUID) -> list[Pause]:
        with self._lock:
            return list(self._runs[uuid].pauses.values())

    def pipeline(self, uuid: UUID) -> str:
        with self._lock:
            return self._runs[uuid].request.pipeline

    def problems(self, uuid: UUID) -> tuple[Problem, ...]:
        with self._lock:
            closing = self._runs[uuid].closing
            return () if closing is None else closing.problems

    def shape(self, uuid: UUID, going: Going) -> RunShape | None:
        with self._lock:
            run = self._runs.get(uuid)
            return None if run is None else _shape(run, going)

    def listed(self, pipeline: str | None, going: Going) -> Iterator[Listed]:
        with self._lock:
            runs = [run for run in self._runs.values() if pipeline in (None, run.request.pipeline)]
            return iter([Listed((run.after_run, KEPT, run.number), _shape(run, going)) for run in runs])

    def _going_on(self, uuid: UUID) -> DryRun:
        run = self._runs[uuid]
        if run.has_ended:
            raise LoomError("RUN_ENDED")
        return run

    @staticmethod
    def _check(run: DryRun, worker: str | None) -> None:
        if worker is None or run.claimed_by != worker:
            raise LoomError(
                "RUN_LOST", f"The run {run.request.uuid} is not, or no longer, that of the worker {worker!r}."
            )


def _shape(run: DryRun, going: Going) -> RunShape:
    request, closing = run.request, run.closing
    shape = RunShape(
        uuid=request.uuid,
        pipeline=request.pipeline,
        version=request.version,
        state=run.state,
        dry_run=True,
        started=None if run.started is None else iso(run.started),
        finished=None if run.finished is None else iso(run.finished),
        assets=AssetCounts() if closing is None else msgspec.structs.replace(closing.assets),
        nodes={} if closing is None else closing.nodes,
        bytes=0 if closing is None else closing.bytes_read,
        paths=[shown_path(path) for path in request.paths[:SHOWN]],
        paused=[pause_shape(pause) for pause in run.pauses.values()],
        request=request_shape(request),
        worker=run.claimed_by,
        queued=iso(request.queued),
        error=_error(run),
        would_write=None if closing is None else closing.would_write,
        spent=None if closing is None else closing.spent,
        problems=0 if closing is None else max(closing.problems_total, len(closing.problems)),
    )
    heard = going.get(request.uuid)
    return shape if heard is None or run.state is not RunState.RUNNING else with_progress(shape, heard.progress)


def _error(run: DryRun) -> ErrorShape | None:
    if run.error is not None:
        return ErrorShape(code=run.error.code, message=run.error.message, retryable=is_retryable(run.error.code))
    if run.state is RunState.FAILED and run.closing is not None and run.closing.problems:
        return error_of(run.closing.problems[0])
    return None
