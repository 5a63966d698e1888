"""One ingest from beginning to end: opens the runs, executes them, tells how far they are, and closes them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import uuid4

from cortex.catalogue import EntryPointCatalogue
from cortex.engine.beside import Beside
from cortex.engine.cache import Cache
from cortex.engine.executor import Executor
from cortex.engine.garbage import looked_for_rarely
from cortex.engine.headstart import HeadStart
from cortex.engine.intake import Intake, now_us
from cortex.engine.keeper import CacheOnly, WithLoom
from cortex.engine.limits import Limits
from cortex.engine.records import Lane, Setup
from cortex.engine.sandbox import Sandbox
from cortex.engine.summary import summarise
from cortex.engine.tally import LaneRun, WouldWrite, add_counts
from cortex.engine.telling import Reporter, Status, failure_at
from cortex.engine.ticker import Ticker
from cortex.sources.scan import Found
from loom.errors import LoomError
from loom.model import AssetCounts, Event, RunClosing, RunEvent, RunHead, RunOpening, RunState, Worker, asset_uuid
from loom.verbs import Loom

IN_FLIGHT_PER_JOB = 192


class Files(Protocol):
    """Where files come from; `cortex.sources.scan.Scan` is one."""

    seen: int
    unchanged: int
    unreachable: list[bytes]
    unreadable: list[tuple[bytes, str, str]]
    unreadable_total: int
    why_unreachable: dict[bytes, str]

    def __iter__(self) -> Iterator[Found]: ...


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be done. `versions` are those of the lanes' pipelines, 0 for one that is not stored. `settles` is the
    digest under which files count as settled. `total` counts the source beforehand: files and bytes."""

    lanes: tuple[Lane, ...]
    versions: tuple[int, ...]
    definitions: tuple[Mapping[str, Any], ...]
    settles: bytes
    paths: tuple[bytes, ...]
    host: str
    worker: Worker
    jobs: int
    limits: Limits
    dry_run: bool = False
    recompute: frozenset[str] = frozenset()
    total: Callable[[threading.Event], tuple[int, int] | None] | None = None
    head_start: HeadStart | None = None


@dataclass
class Ended:
    """How an ingest ended."""

    summary: dict[str, Any]
    exit_code: int


@dataclass
class Ingest:
    """Carries out an order. `publish` is told every event, `progress` the counts now and then."""

    order: Order
    files: Files
    loom: Loom | None
    cache: Cache | None
    operators: EntryPointCatalogue
    reporter: Reporter
    publish: Callable[[RunHead, Sequence[Event]], None]
    interrupted: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        order = self.order
        self._lock = threading.Lock()
        self.runs = [
            LaneRun(lane, uuid4(), version, definition)
            for lane, version, definition in zip(order.lanes, order.versions, order.definitions, strict=True)
        ]
        self.would_write = WouldWrite() if any(lane.plan.dry_run for lane in order.lanes) else None
        self._stored = self._open_stored()
        setup = Setup(order.lanes, order.dry_run, order.limits)
        self._sandbox = Sandbox(setup, jobs=order.jobs, head_start=order.head_start)
        self._executor = Executor(
            self.runs,
            lambda on_copy: Intake(
                order.lanes,
                self._stored,
                max_in_flight=order.jobs * IN_FLIGHT_PER_JOB,
                recompute=order.recompute,
                on_copy=on_copy,
                remember=not all(map(self._is_recorded, self.runs)),
            ),
            self._sandbox,
            Beside(
                order.lanes,
                self.operators,
                has_loom=self.loom is not None,
                would_write=self.would_write or WouldWrite(),
            ),
            keeper=self._stored,
            publish=self.publish,
            observer=self,
            would_write=self.would_write,
        )

    def _open_stored(self) -> CacheOnly | WithLoom:
        if self.loom is not None:
            return WithLoom(self.loom, self._open_run, self.runs, self._opening, self.cache)
        if self.cache is None:
            raise LoomError("CONFIG_INVALID", "without Loom results can only be kept in a cache: set CORTEX_CACHE")
        return CacheOnly(self.cache)

    def run(self) -> Ended:
        """Blocks until it is done. Raises what broke it, after closing the runs as FAILED."""
        started = time.monotonic()
        self.reporter.begin([run.lane.plan.pipeline for run in self.runs], dry_run=self.order.dry_run)
        self._begin()
        broken: BaseException | None = None
        with looked_for_rarely(), self._sandbox, Ticker(self, self._executor, self._sandbox, started):
            try:
                self._executor.run(iter(self.files))
            except BaseException as error:
                broken = error
        assets = self._count()
        for run in self.runs:
            self._close(run, broken is not None)
        if broken is not None:
            raise broken
        state = self._state(assets)
        summary = summarise(
            self.runs,
            assets,
            state=state,
            seconds=time.monotonic() - started,
            dry_run=self.order.dry_run,
            would_write=self.would_write,
        )
        return Ended(summary, self._exit_code(assets))

    def interrupt(self) -> None:
        """The first time: no new files, those in hand are finished. The second time: ends at once."""
        if self.interrupted:
            self._executor.abort()
        self.interrupted = True
        self._executor.stop()

    def failure(self, asset: bytes | None, path: bytes, node: str | None, code: str, message: str) -> None:
        uuid = None if asset is None else str(asset_uuid(asset))
        with self._lock:
            self.reporter.failure(failure_at(path, uuid, node, code, message))

    def status(self, status: Status) -> None:
        with self._lock:
            self.reporter.status(status)

    def _is_recorded(self, run: LaneRun) -> bool:
        """Whether Loom keeps a record of the run once it has something to do."""
        return self.loom is not None and not run.lane.plan.dry_run

    def _begin(self) -> None:
        """Of several runs, those that Loom records begin with their first asset."""
        for run in self.runs:
            if not self._is_recorded(run):
                self.publish(run.head, [RunEvent(now_us(), "STARTED")])
            elif len(self.runs) == 1 and isinstance(self._stored, WithLoom):
                self._stored.open(run)

    def _open_run(self, opening: RunOpening) -> None:
        if self.loom is not None:
            self.loom.open_run(opening)
        self.publish(RunHead(opening.uuid, opening.pipeline, opening.dry_run), [RunEvent(now_us(), "STARTED")])

    def _opening(self, run: LaneRun) -> RunOpening:
        order, plan = self.order, run.lane.plan
        return RunOpening(
            uuid=run.uuid,
            pipeline=plan.pipeline,
            version=run.version,
            plan=plan.digest,
            steps=tuple(step.ref for step in plan.steps),
            worker=order.worker,
            settles=order.settles,
            definition=None if run.version else dict(run.definition),
            host=order.host,
            started=now_us(),
            paths=order.paths,
        )

    def _count(self) -> AssetCounts:
        """Adds what the source counted to the first run, and all runs up. Files that could not be read when their
        turn came were offered by the source, others that it could not read were not."""
        first = self.runs[0].assets
        first.seen += self.files.unchanged + first.unreadable
        first.unchanged += self.files.unchanged
        first.completed += self.files.unchanged
        first.unreadable += self.files.unreadable_total
        for path, code, message in self.files.unreadable:
            self.failure(None, path, None, code, message)
        for path, message in self.files.why_unreachable.items():
            self.failure(None, path, None, "SOURCE_UNREACHABLE", message)
        total = AssetCounts()
        for run in self.runs:
            add_counts(total, run.assets)
        return total

    def _close(self, run: LaneRun, broken: bool) -> None:
        state = run.state(cancelled=self.interrupted, broken=broken)
        with contextlib.suppress(LoomError) if broken else contextlib.nullcontext():
            self._finish(run, state)

    def _finish(self, run: LaneRun, state: RunState) -> None:
        if run.opened and self.loom is not None:
            closing = RunClosing(
                uuid=run.uuid,
                state=state,
                finished=now_us(),
                assets=run.assets,
                nodes=run.nodes,
                bytes_read=run.bytes_read,
            )
            self.loom.finish_run(closing)
        if run.opened or not self._is_recorded(run):
            self.publish(run.head, [RunEvent(now_us(), state, run.assets)])

    def _state(self, assets: AssetCounts) -> RunState:
        if self.interrupted:
            return RunState.CANCELLED
        return RunState.PARTIAL if assets.failed or assets.unreadable else RunState.COMPLETED

    def _exit_code(self, assets: AssetCounts) -> int:
        if self.interrupted:
            return 130
        if self.files.unreachable:
            return 4
        return 3 if assets.failed or assets.unreadable else 0
