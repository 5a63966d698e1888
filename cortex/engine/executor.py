"""Many assets at once through their plans: a ReactiveX stream from the sandbox to Loom, bounded and in order.

The source is read only as fast as assets are settled; everything behind the sandbox happens in batches on one thread,
so that a batch is one transaction and its events are told after it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import reactivex as rx
from reactivex import Observable
from reactivex import operators as ops
from reactivex.scheduler import EventLoopScheduler
from reactivex.subject import Subject

from cortex.engine.beside import Beside
from cortex.engine.costs import Costs
from cortex.engine.entry import Entry
from cortex.engine.gathering import Gathering
from cortex.engine.handing import lighter
from cortex.engine.intake import Intake, now_us
from cortex.engine.onward import Onward
from cortex.engine.records import Item, Walked
from cortex.engine.reporting import Batch, Copy, Finished, Told, Unmatched, copy_event, identified, note_places
from cortex.engine.sandbox import Sandbox
from cortex.engine.tally import LaneRun, WouldWrite
from cortex.sources.scan import Found
from loom.errors import is_retryable
from loom.events import Event, NodeEvent, RunHead
from loom.model import Depth

BATCH_ASSETS = 192
BATCH_SECONDS = 0.5
MAX_REDONE = 3
_REDO_DELAY_S = 0.5
_NOT_REDONE = frozenset({"FILE_VANISHED", "FILE_UNREADABLE"})
"""Trying a file again in the same run does not help against these."""
_FAREWELL_S = 5.0
"""How long a source that is no longer wanted may take to notice; it may hang in a dead mount or wait for input."""


class Keeper(Protocol):
    """Where a batch is stored."""

    def open(self, run: LaneRun) -> None:
        """Has the run begin, unless it has."""
        ...

    def keep(self, batch: Batch) -> None: ...

    def known_places(self, places: Sequence[tuple[bytes, bytes]]) -> list[bool]: ...


class Observer(Protocol):
    """Who wants to know while it happens; called from several threads, one at a time."""

    def failure(
        self, asset: bytes | None, path: bytes, node: str | None, code: str, message: str, handled: bool = False
    ) -> None: ...

    def vanished(self, path: bytes, message: str) -> None:
        """A file that was found was gone by its turn, which is no failure."""


class Executor:
    """Runs one ingest. `run` blocks until everything is settled, `stop` or `abort` was called, or something broke."""

    def __init__(
        self,
        runs: Sequence[LaneRun],
        intake: Callable[[Callable[[Entry], None]], Intake],
        sandbox: Sandbox,
        beside: Beside,
        *,
        keeper: Keeper,
        publish: Callable[[RunHead, Sequence[Event]], None],
        observer: Observer,
        would_write: WouldWrite | None = None,
    ) -> None:
        self._runs = runs
        self._sandbox = sandbox
        self._beside = beside
        self._keeper = keeper
        self._publish = publish
        self._observer = observer
        self._would_write = would_write
        self.costs = Costs([run.lane.plan for run in runs])
        self._aside: Subject[list[Told]] = Subject()
        self._lock = threading.RLock()
        self._announcing = threading.Lock()
        self._error: BaseException | None = None
        self.intake = intake(lambda entry: self._tell(Copy(entry)))
        self._commits = EventLoopScheduler(thread_factory=_thread("commit"))
        self._gathering: Gathering[Told] = Gathering(BATCH_ASSETS, BATCH_SECONDS, self._commits)
        self.onward = Onward(beside, self._back, self._tell, self._fail, self._commits)

    def run(self, found: Iterator[Found]) -> None:
        """Walks what the source finds. Raises what broke the run: a `LoomError` of Loom, its database or the disk."""
        self._beside.open()
        scan = threading.Thread(target=self.intake.scan, args=(found, self._sandbox.wake), name="scan", daemon=True)
        scan.start()
        walked = rx.from_iterable(self._sandbox.batches(self._items(), self.intake.answer))
        told: Observable[list[Told]] = walked.pipe(ops.map(self._sort_all))
        all_told = rx.merge(self._aside, told.pipe(ops.do_action(on_completed=self._aside.on_completed)))
        stored = self._gathering(all_told).pipe(ops.observe_on(self._commits), ops.do_action(self._commit))
        ended = threading.Event()
        try:
            stored.subscribe(on_error=lambda error: self._broke(error, ended), on_completed=ended.set)
            ended.wait()
            if self._error is None:
                self._tell_given_up()
        finally:
            self.intake.stop()
            scan.join(_FAREWELL_S)
            self._commits.dispose()
            self.onward.close(wait=not self.intake.aborted)
            self._beside.close()
        if (error := self._error or self.intake.error) is not None:
            raise error

    def pause(self, depth: Depth | None) -> None:
        """Stands still as deep as told, or goes on (None)."""
        self.intake.paused = depth is not None
        self._sandbox.pause(depth)
        self.onward.pause(depth)

    def limit(self, concurrency: Mapping[str, int]) -> None:
        """How many files may be at a time in the steps of an operator, at a resource, or (`jobs`) in work at all."""
        self._sandbox.limit(concurrency)
        self._beside.turns.limit(concurrency)

    def stop(self) -> None:
        """No new files; those in hand are finished and stored."""
        self.intake.stop()

    def abort(self) -> None:
        """Ends at once; what is in hand is lost and will be done by the next run."""
        self.intake.abort()
        self._beside.give_up()
        self._sandbox.close()

    def _broke(self, error: BaseException, ended: threading.Event) -> None:
        self._error = error
        self.abort()
        ended.set()

    def announce(self, token: int, step: int, lane: int) -> None:
        """Tells the bus of a step that works for long already as STARTED, once, unless its end was told meanwhile."""
        run = self._runs[lane]
        with self._announcing:
            entry = self.intake.find(token)
            if entry is None or entry.told or entry.identity is None or step in entry.announced:
                return
            if not run.lane.plan.dry_run:
                self._keeper.open(run)
            entry.announced.add(step)
            node = run.lane.plan.steps[step].node
            self._publish(run.head, [NodeEvent(now_us(), node, entry.identity.asset, "STARTED")])

    def _items(self) -> Iterator[Item | None]:
        """What the sandbox is to walk; when it has come to the end of that for now, nothing else is waited for."""
        for item in self.intake.items():
            if item is None and not self._sandbox.in_flight:
                self._gathering.hurry()
            yield item

    def _tell(self, told: Told) -> None:
        with self._lock:
            self._aside.on_next([told])

    def _sort_all(self, many: list[Walked]) -> list[Told]:
        return [told for one in many if (told := self._sort(one)) is not None]

    def _sort(self, walked: Walked) -> Told | None:
        """What is to be done with an asset that came back from the sandbox; None when someone else goes on with it."""
        entry = self.intake.entry(walked.token)
        entry.bytes_read += walked.bytes_read
        if walked.failure is not None:
            self._unread(entry, *walked.failure)
            return None
        identity = walked.identity
        entry.identity = identity
        if identity is None or identity.lane < 0:
            return Unmatched(entry)
        finished = Finished(entry, self._runs[identity.lane], walked, walked.next_step == len(walked.outcomes))
        return self.onward.go_on(finished)

    def _back(self, finished: Finished) -> None:
        entry, wanted = finished.entry, finished.walked.wanted
        entry.handed = self._beside.derived.handed(entry.handed, wanted) if wanted else ()
        self._sandbox.requeue(self.intake.resume(entry, finished.walked))

    def _fail(self, error: Exception) -> None:
        with self._lock:
            self._aside.on_error(error)

    def _unread(self, entry: Entry, code: str, message: str) -> None:
        """A file that could not be read is tried again a few times where that may help, then counted."""
        if is_retryable(code) and code not in _NOT_REDONE and entry.attempts < MAX_REDONE:
            first, *heirs = self.intake.again(entry, (code, message))
            self._sandbox.requeue(first, _REDO_DELAY_S * 2 ** (entry.attempts - 1))
        else:
            heirs = self.intake.give_up(entry, (code, message))
            self.costs.give_up(entry)
            self._runs[0].bytes_read += entry.size_read
            if code == "FILE_VANISHED":
                self._observer.vanished(entry.path, message)
            else:
                self._runs[0].assets.unreadable += 1
                self._observer.failure(None, entry.path, None, code, message)
        for heir in heirs:
            self._sandbox.requeue(heir)

    def _tell_given_up(self) -> None:
        """Ends steps that were announced for content given up since; last of all, as it may be found elsewhere too."""
        for (lane, asset), begun in self.intake.begun().items():
            self._publish(self._runs[lane].head, begun.ended(self._runs[lane].lane.plan, asset))

    def _commit(self, told: list[Told]) -> None:
        """Stores a batch, tells of it, and releases its files."""
        note_places([one.entry for one in told], self._keeper.known_places)
        batches: dict[int, Batch] = {}
        now = now_us()
        for one in told:
            run = one.run if isinstance(one, Finished) else self._run_of(one.entry)
            batch = batches.setdefault(id(run), Batch(run))
            if isinstance(one, Finished):
                batch.add(one)
            else:
                batch.add_place(one.entry, settled=isinstance(one, Unmatched))
                if isinstance(one, Copy):
                    batch.events.append(copy_event(one.entry, run, now))
            if (settles := one.entry.found.settles) is not None:
                batch.reports[-1] = batch.reports[-1]._replace(settles=settles)
        for batch in batches.values():
            self._store(batch, now)
        for one in told:
            self._settle(one)
        self._sandbox.wake()

    def _store(self, batch: Batch, now: int) -> None:
        if self._would_write is not None and batch.run.lane.plan.dry_run:
            batch.would_write(self._would_write)
        else:
            self._keeper.keep(batch)
        with self._announcing:
            batch.add_events(now)
            self._publish(batch.run.head, batch.events)

    def _run_of(self, entry: Entry) -> LaneRun:
        lane = identified(entry).lane
        return self._runs[lane if lane >= 0 else 0]

    def _settle(self, told: Told) -> None:
        """Counts what was stored and lets go of it, or goes on with an asset that had to be stored first."""
        entry = told.entry
        if isinstance(told, Finished) and not told.done:
            entry.uploads, entry.kept = (), len(told.walked.computed)
            after = self.onward.go_on(told._replace(walked=lighter(told.run.lane.plan, told.walked)), stored=True)
            if after is not None:
                self._tell(after)
            return
        run = self._run_of(entry)
        run.count_file(known=entry.known, known_place=bool(entry.is_known_place))
        run.bytes_read += entry.size_read
        if isinstance(told, Unmatched):
            run.assets.unmatched += 1
        elif isinstance(told, Finished):
            self._count_walk(told)
        else:
            self._count_copy(identified(entry).asset, run)
        self.costs.count(entry, told.walked.computed if isinstance(told, Finished) else ())
        copies = self.intake.release(entry)
        for copy in copies:
            copy.known = True
            copy.identity = identified(copy)._replace(lane=identified(entry).lane)
            self._tell(Unmatched(copy) if isinstance(told, Unmatched) else Copy(copy))

    def _count_copy(self, asset: bytes, run: LaneRun) -> None:
        """A copy ends as the file that was walked did, by whichever pipeline."""
        told = (one.failed_now(asset) for one in self._runs)
        run.count_end(next((failed_now for failed_now in told if failed_now is not None), None))

    def _count_walk(self, finished: Finished) -> None:
        asset, path, steps = identified(finished.entry).asset, finished.entry.path, finished.run.lane.plan.steps
        now, before = finished.run.count(finished.walked.outcomes, finished.walked.computed)
        if now or before:
            finished.run.keep_failure(asset, now=now > 0)
        finished.run.count_end(now > 0 if now or before else None)
        for made in finished.walked.computed:
            if made.error_code is not None:
                node, handled = steps[made.step].node, made.step in finished.run.handled
                self._observer.failure(asset, path, node, made.error_code, made.error_message or "", handled)


def _thread(name: str) -> Callable[..., threading.Thread]:
    return lambda target: threading.Thread(target=target, name=name, daemon=True)
