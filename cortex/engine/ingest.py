"""One ingest from beginning to end: opens the runs, executes them, tells how far they are, and closes them."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cortex.catalogue import EntryPointCatalogue
from cortex.engine.asking import asked_anew
from cortex.engine.beside import Beside, at_once
from cortex.engine.cache import Cache
from cortex.engine.closing import closing_of
from cortex.engine.concurrency import limited_steps
from cortex.engine.executor import Executor
from cortex.engine.files import Files, count_up, problems_of
from cortex.engine.garbage import looked_for_rarely
from cortex.engine.handing import DerivedFiles
from cortex.engine.helm import Helm
from cortex.engine.ingest_order import Ended as Ended
from cortex.engine.ingest_order import Order
from cortex.engine.intake import Intake, now_us
from cortex.engine.intentions import Intentions
from cortex.engine.keeper import CacheOnly, WithLoom
from cortex.engine.pace import Pace
from cortex.engine.problems import Problems
from cortex.engine.records import Setup
from cortex.engine.reserve import Reserve
from cortex.engine.sandbox import Sandbox
from cortex.engine.summary import summarise
from cortex.engine.tally import LaneRun, WouldWrite, end_state
from cortex.engine.telling import Reporter, Status, failure_at, shown
from cortex.engine.ticker import Ticker
from loom.errors import LoomError
from loom.events import Event, RunEvent, RunHead
from loom.model import AssetCounts, Problem, RunOpening, RunState, asset_uuid
from loom.verbs import Loom

IN_FLIGHT = 384
IN_FLIGHT_PER_JOB = 192
"""So many files are in hand at most: two batches that wait to be stored, and what keeps the workers busy meanwhile."""


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
        self._problems = Problems()
        self.runs = [
            LaneRun(lane, order.claim.run if order.claim is not None else uuid4(), version, definition)
            for lane, version, definition in zip(order.lanes, order.versions, order.definitions, strict=True)
        ]
        self.would_write = WouldWrite() if any(lane.plan.dry_run for lane in order.lanes) else None
        self._stored = self._open_stored()
        level = logging.getLogger("cortex.node").getEffectiveLevel()
        limited = limited_steps([lane.plan for lane in order.lanes], self.operators)
        setup = Setup(order.lanes, order.dry_run, order.limits, log_level=level, limited=limited, scratch=order.scratch)
        self._sandbox = Sandbox(setup, jobs=order.jobs, head_start=order.head_start)
        self._executor = Executor(
            self.runs,
            lambda on_copy: Intake(
                order.lanes,
                self._stored,
                max_in_flight=IN_FLIGHT + order.jobs * IN_FLIGHT_PER_JOB,
                is_anew=asked_anew(order.recompute, self.operators),
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
                library=self.loom,
                derived=DerivedFiles(self.loom, self.cache),
                intentions=Intentions(self._stored.intend, None if self.loom is None else order.doing),
            ),
            keeper=self._stored,
            publish=self.publish,
            observer=self,
            would_write=self.would_write,
        )
        self._reserve = None
        if self.loom is not None and order.disk_reserve is not None:
            self._reserve = Reserve(self.loom, *order.disk_reserve)
        self.helm = Helm(self._executor, self.reporter.note, order.concurrency)

    def _open_stored(self) -> CacheOnly | WithLoom:
        if self.loom is not None:
            order, opening = self.order, self._opening
            worker = order.claim.worker if order.claim is not None else None
            settles = None if order.dry_run else order.settles
            return WithLoom(self.loom, order.host, self._open_run, self.runs, opening, self.cache, worker, settles)
        if self.cache is None:
            raise LoomError("CONFIG_INVALID", "without Loom results can only be kept in a cache: set CORTEX_CACHE")
        return CacheOnly(self.cache)

    def run(self) -> Ended:
        """Blocks until it is done. Raises what broke it, after closing the runs as FAILED."""
        started = time.monotonic()
        self.reporter.begin([run.lane.plan.pipeline for run in self.runs], dry_run=self.order.dry_run)
        self._begin()
        if self.loom is not None:
            with contextlib.suppress(LoomError):
                self.helm.limit(self.loom.limits())
        broken: BaseException | None = None
        with looked_for_rarely(), self._sandbox, Ticker(self, self._executor, self._sandbox, started):
            try:
                self._executor.run(self.order.through(iter(self.files), self._executor.intake))
            except BaseException as error:
                broken = error
        with contextlib.suppress(LoomError):
            self._stored.keep_in_hand(())
        with contextlib.suppress(LoomError) if broken is not None else contextlib.nullcontext():
            self._tell_problems(broken)
        assets = count_up(self.runs, self._first, self.files, has_loom=self.loom is not None)
        for run in self.runs:
            self._close(run, broken is not None)
        summary = self._summary(assets, time.monotonic() - started, broken is not None)
        if broken is not None:
            self.reporter.broken(summary)
            raise broken
        return Ended(summary, self._exit_code(assets))

    @property
    def _first(self) -> LaneRun:
        """The run under which is told what belongs to none: the first that Loom records, if there is one."""
        return next((run for run in self.runs if run.opened), self.runs[0])

    def _summary(self, assets: AssetCounts, seconds: float, broken: bool) -> dict[str, Any]:
        for run in self.runs:
            if run.opened and not run.version and self.loom is not None:
                with contextlib.suppress(LoomError):  # the number under which Loom keeps a definition from a file
                    run.version = self.loom.run(run.uuid).version
        return summarise(
            self.runs,
            assets,
            state=self._state(assets, broken),
            seconds=seconds,
            dry_run=self.order.dry_run,
            unreachable=list(map(shown, self.files.unreachable)),
            passed_over=self.files.special_total,
            would_write=self.would_write,
        )

    def interrupt(self) -> None:
        """The first time: no new files, those in hand are finished. The second time: ends at once."""
        self.helm.interrupt()

    def steer(self) -> None:
        """Asks Loom what is to become of the runs, and does it."""
        if self.loom is None:
            return
        known = [run.uuid for run in self.runs if run.opened or self.order.claim is not None]
        if not known:
            self.helm.limit(self.loom.limits())
            return
        if self._reserve is not None:
            self._reserve.look(known)
        if self.order.steer is not None:
            self.order.steer(self.loom, known)
        self.helm.obey(self.loom.orders(self.order.worker.name, known))
        if not self._executor.intake.paused:
            self._stored.keep_in_hand(self._executor.intake.in_hand())

    def failure(
        self, asset: bytes | None, path: bytes, node: str | None, code: str, message: str, handled: bool = False
    ) -> None:
        told = failure_at(path, None if asset is None else str(asset_uuid(asset)), node, code, message)
        with self._lock:
            if node is None:
                self._problems.note(Problem(path, code, message))
            self.reporter.failure(told._replace(handled=handled))

    def vanished(self, path: bytes, message: str) -> None:
        with self._lock:
            self._problems.note(Problem(path, "FILE_VANISHED", message))

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

    def _tell_problems(self, broken: BaseException | None) -> None:
        """What the source could not read; with what the executor could not, and what broke it, this is kept with the
        run, which may begin only for that. A watch comes by again and again, and says so every time. What is no regular
        file is kept as well, but begins no run."""
        for path, code, message in problems_of(self.files):
            self.failure(None, path, None, code, message)
        self._problems.total += self.files.unreadable_total - len(self.files.unreadable)
        if broken is not None:
            self._problems.broke(broken)
        elif self._problems.total and self._is_recorded(self._first) and not self.order.opens_late:
            self._stored.open(self._first)
        self._problems.passed_over(self.files.special, self.files.special_total)

    def _close(self, run: LaneRun, broken: bool) -> None:
        with contextlib.suppress(LoomError) if broken else contextlib.nullcontext():
            self._finish(run, self._state(run.assets, broken, run is self._first))

    def _finish(self, run: LaneRun, state: RunState) -> None:
        if self._goes_on_elsewhere:
            if self._reserve is not None:
                self._reserve.lift()
            return
        claim, assets = self.order.claim, run.assets
        if self.loom is not None and (run.opened or claim is not None):
            problems = self._problems if run is self._first else None
            self.loom.finish_run(closing_of(run, state, claim, self.would_write, problems))
            if claim is not None:
                with contextlib.suppress(LoomError):  # other workers may have had a part in it
                    whole = self.loom.run(run.uuid)
                    state, assets = (whole.state, whole.assets) if whole.finished else (state, assets)
        if run.opened or not self._is_recorded(run):
            self.publish(run.head, [RunEvent(now_us(), state, assets)])

    def _state(self, assets: AssetCounts, broken: bool, may_be_away: bool = True) -> RunState:
        away = may_be_away and bool(self.files.unreachable)
        return end_state(assets, cancelled=self._cancelled, broken=broken, unreachable=away)

    def _exit_code(self, assets: AssetCounts) -> int:
        if self.helm.interrupted or self.helm.cancelled:
            return 130
        if self.files.unreachable:
            return 4
        return 3 if assets.failed or assets.unreadable else 0
