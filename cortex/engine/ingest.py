"""One ingest from beginning to end: opens the runs, executes them, tells how far they are, and closes them."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import uuid4

from cortex.catalogue import EntryPointCatalogue
from cortex.engine.beside import Beside, at_once
from cortex.engine.cache import Cache
from cortex.engine.executor import Executor
from cortex.engine.garbage import looked_for_rarely
from cortex.engine.helm import Helm
from cortex.engine.ingest_order import Order
from cortex.engine.intake import Intake, now_us
from cortex.engine.keeper import CacheOnly, WithLoom
from cortex.engine.pace import Pace
from cortex.engine.records import Setup
from cortex.engine.reserve import Reserve
from cortex.engine.sandbox import Sandbox
from cortex.engine.summary import shown_writes, summarise
from cortex.engine.tally import LaneRun, WouldWrite, add_counts
from cortex.engine.telling import Reporter, Status, failure_at, shown
from cortex.engine.ticker import Ticker
from cortex.sources.scan import Found
from loom.errors import LoomError
from loom.events import Event, RunEvent, RunHead
from loom.model import AssetCounts, RunClosing, RunOpening, RunState, asset_uuid
from loom.verbs import Loom

IN_FLIGHT_PER_JOB = 192


class Files(Protocol):
    """Where files come from; `cortex.sources.scan.Scan` is one."""

    seen: int
    unchanged: int
    failed_before: int
    unreachable: list[bytes]
    unreadable: list[tuple[bytes, str, str]]
    unreadable_total: int
    why_unreachable: dict[bytes, str]

    @property
    def bytes_unchanged(self) -> int: ...

    def __iter__(self) -> Iterator[Found]: ...


@dataclass
class Ended:
    """How an ingest ended."""

    summary: dict[str, Any]
    exit_code: int


@dataclass
class Ingest:
    """Carries out an order. `publish` is told every event, `progress` the counts now and then. `acknowledged` says
    whether Loom has all that it was told, as `Beside` wants to know it."""

    order: Order
    files: Files
    loom: Loom | None
    cache: Cache | None
    operators: EntryPointCatalogue
    reporter: Reporter
    publish: Callable[[RunHead, Sequence[Event]], None]
    acknowledged: Callable[[], bool] = at_once

    def __post_init__(self) -> None:
        order = self.order
        self._lock = threading.Lock()
        self.runs = [
            LaneRun(lane, order.claim.run if order.claim is not None else uuid4(), version, definition)
            for lane, version, definition in zip(order.lanes, order.versions, order.definitions, strict=True)
        ]
        self.would_write = WouldWrite() if any(lane.plan.dry_run for lane in order.lanes) else None
        self._stored = self._open_stored()
        level = logging.getLogger("cortex.node").getEffectiveLevel()
        setup = Setup(order.lanes, order.dry_run, order.limits, log_level=level)
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
                pace=Pace(order.read_limit),
            ),
            self._sandbox,
            Beside(
                order.lanes,
                self.operators,
                has_loom=self.loom is not None,
                would_write=self.would_write or WouldWrite(),
                acknowledged=self.acknowledged,
                base_s=order.limits.base_s,
            ),
            keeper=self._stored,
            publish=self.publish,
            observer=self,
            would_write=self.would_write,
        )
        self._reserve = None
        if self.loom is not None and order.disk_reserve is not None:
            self._reserve = Reserve(self.loom, *order.disk_reserve)
        self.helm = Helm(self._executor, self.reporter.note)

    def _open_stored(self) -> CacheOnly | WithLoom:
        if self.loom is not None:
            worker = self.order.claim.worker if self.order.claim is not None else None
            return WithLoom(self.loom, self._open_run, self.runs, self._opening, self.cache, worker)
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
        summary = self._summary(assets, time.monotonic() - started, broken is not None)
        if broken is not None:
            self.reporter.broken(summary)
            raise broken
        return Ended(summary, self._exit_code(assets))

    def _summary(self, assets: AssetCounts, seconds: float, broken: bool) -> dict[str, Any]:
        for run in self.runs:
            if run.opened and not run.version and self.loom is not None:
                with contextlib.suppress(LoomError):  # the number under which Loom keeps a definition from a file
                    run.version = self.loom.run(run.uuid).version
        return summarise(
            self.runs,
            assets,
            state=RunState.FAILED if broken else self._state(assets),
            seconds=seconds,
            dry_run=self.order.dry_run,
            unreachable=list(map(shown, self.files.unreachable)),
            would_write=self.would_write,
        )

    def interrupt(self) -> None:
        """The first time: no new files, those in hand are finished. The second time: ends at once."""
        self.helm.interrupt()

    def steer(self) -> None:
        """Asks Loom what is to become of the runs, and does it."""
        known = [run.uuid for run in self.runs if run.opened or self.order.claim is not None]
        if self.loom is not None and known:
            if self._reserve is not None:
                self._reserve.look(known)
            if self.order.steer is not None:
                self.order.steer(self.loom, known)
            self.helm.obey(self.loom.orders(self.order.worker.name, known))

    def failure(
        self, asset: bytes | None, path: bytes, node: str | None, code: str, message: str, handled: bool = False
    ) -> None:
        told = failure_at(path, None if asset is None else str(asset_uuid(asset)), node, code, message)
        with self._lock:
            self.reporter.failure(told._replace(handled=handled))

    def status(self, status: Status) -> None:
        with self._lock:
            self.reporter.status(status)
        if self.reporter.lost is not None:
            self._executor.stop()

    @property
    def _cancelled(self) -> bool:
        return self.helm.interrupted or self.helm.cancelled or self.reporter.lost is not None

    @property
    def _goes_on_elsewhere(self) -> bool:
        """A claimed run that is not ended by the end of this ingest."""
        helm = self.helm
        return helm.lost or (self.order.claim is not None and helm.interrupted and not helm.cancelled)

    def _is_recorded(self, run: LaneRun) -> bool:
        """Whether Loom keeps a record of the run once it has something to do."""
        return self.loom is not None and not run.lane.plan.dry_run

    def _begin(self) -> None:
        """Of several runs, those that Loom records begin with their first asset that is stored or takes long."""
        for run in self.runs:
            if not self._is_recorded(run):
                self.publish(run.head, [RunEvent(now_us(), "STARTED")])
            elif len(self.runs) == 1 and not self.order.opens_late:
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
        first, unchanged, failed = self.runs[0].assets, self.files.unchanged, self.files.failed_before
        first.seen += unchanged + first.unreadable
        first.unchanged, first.completed = first.unchanged + unchanged, first.completed + unchanged - failed
        first.failed_before += failed
        first.unreadable += self.files.unreadable_total
        away = [(path, "SOURCE_UNREACHABLE", message) for path, message in self.files.why_unreachable.items()]
        for path, code, message in [*self.files.unreadable, *away]:
            self.failure(None, path, None, code, message)
        total = AssetCounts()
        for run in self.runs:
            if self.loom is None:
                run.assets.moved = 0  # nobody remembers where a file lay
            add_counts(total, run.assets)
        return total

    def _close(self, run: LaneRun, broken: bool) -> None:
        with contextlib.suppress(LoomError) if broken else contextlib.nullcontext():
            self._finish(run, run.state(cancelled=self._cancelled, broken=broken))

    def _finish(self, run: LaneRun, state: RunState) -> None:
        if self._goes_on_elsewhere:
            if self._reserve is not None:
                self._reserve.lift()
            return
        claim, would_write = self.order.claim, self.would_write
        if self.loom is not None and (run.opened or claim is not None):
            closing = RunClosing(
                uuid=run.uuid,
                state=state,
                finished=now_us(),
                assets=run.assets,
                nodes=run.nodes,
                bytes_read=run.bytes_read,
                worker=None if claim is None else claim.worker,
                would_write=None if would_write is None else shown_writes(would_write),
            )
            self.loom.finish_run(closing)
        if run.opened or not self._is_recorded(run):
            self.publish(run.head, [RunEvent(now_us(), state, run.assets)])

    def _state(self, assets: AssetCounts) -> RunState:
        if self._cancelled:
            return RunState.CANCELLED
        return RunState.PARTIAL if assets.failed or assets.unreadable else RunState.COMPLETED

    def _exit_code(self, assets: AssetCounts) -> int:
        if self.helm.interrupted or self.helm.cancelled:
            return 130
        if self.files.unreachable:
            return 4
        return 3 if assets.failed or assets.unreadable else 0
