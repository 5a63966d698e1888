import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from sandboxes import QUICK

from cortex.catalogue import load
from cortex.engine.beside import Beside
from cortex.engine.entry import Entry
from cortex.engine.executor import Executor
from cortex.engine.intake import Intake
from cortex.engine.records import Identity, Lane, Setup
from cortex.engine.reporting import Batch
from cortex.engine.sandbox import Sandbox
from cortex.engine.tally import LaneRun, WouldWrite
from cortex.engine.usable import Usable
from cortex.sources.found import Found
from loom.errors import LoomError
from loom.events import Event, NodeEvent, RunHead
from loom.graph.plan import AssetFilter
from loom.model import FileStat, Kind

MOMENT = 8.0
"""Seconds that ending may take where a file in hand would take 30."""


class Bench:
    """An executor over a sandbox whose files do what their names say; what it keeps, publishes and observes."""

    def __init__(self, lane: Lane, *, base_s: float = 60.0) -> None:
        self.run = LaneRun(lane, uuid4(), 0, {})
        self.kept: list[Batch] = []
        self.published: list[Event] = []
        self.failures: list[str] = []
        self.trouble: Exception | None = None
        self.unknown: Exception | None = None
        limits = QUICK._replace(base_s=base_s)
        setup = Setup((), limits=limits, walker="deeds:Deeds", preload=())
        self.sandbox = Sandbox(setup, jobs=2)
        self.executor = Executor(
            [self.run],
            lambda on_copy: Intake((lane,), self, max_in_flight=50, on_copy=on_copy),
            self.sandbox,
            Beside((lane,), load(), has_loom=True, would_write=WouldWrite()),
            keeper=self,
            publish=self.publish,
            observer=self,
        )

    def known_sizes(self, sizes: Sequence[int]) -> set[int]:
        return set()

    def usable(self, assets: Sequence[Any], signatures: Sequence[bytes]) -> list[Usable]:
        if self.unknown is not None:
            raise self.unknown
        return [Usable(False, False, {}) for _ in assets]

    def open(self, run: LaneRun) -> None:
        run.opened = True

    def keep(self, batch: Batch) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.kept.append(batch)

    def known_places(self, places: Sequence[tuple[bytes, bytes]]) -> list[bool]:
        return [False for _ in places]

    def publish(self, head: RunHead, events: Sequence[Event]) -> None:
        self.published.extend(events)

    def failure(
        self, asset: bytes | None, path: bytes, node: str | None, code: str, message: str, handled: bool = False
    ) -> None:
        self.failures.append(code)

    def walk(self, files: Iterator[Found]) -> float:
        """Runs; returns how long it took."""
        began = time.monotonic()
        with self.sandbox:
            self.executor.run(files)
        return time.monotonic() - began


def found(name: str) -> Found:
    return Found(b"/media", name.encode(), b"1", FileStat(1, 0, 0, 0), None, False)


def good() -> Iterator[Found]:
    return (found(f"{number}.good") for number in itertools.count())


@pytest.fixture
def lane(make_plan: Callable[..., Any], make_step: Callable[..., Any]) -> Lane:
    return Lane(AssetFilter(), make_plan(make_step(0, "a")))


@pytest.fixture
def bench(lane: Lane) -> Bench:
    return Bench(lane)


def test_everything_is_kept_and_told_in_batches(bench: Bench) -> None:
    bench.walk(itertools.islice(good(), 300))
    assert sum(len(batch.reports) for batch in bench.kept) == 300
    assert len(bench.kept) < 100
    assert bench.run.assets.completed == bench.run.assets.seen == 300


def test_the_last_batch_waits_for_nobody_when_nothing_else_is_in_hand(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither at the end nor while the source has nothing for now."""
    monkeypatch.setattr("cortex.engine.executor.BATCH_SECONDS", 60.0)
    bench = Bench(lane)

    def source() -> Iterator[Found]:
        yield from (found(f"{number}.good") for number in range(3))
        end = time.monotonic() + MOMENT
        while bench.run.assets.seen < 3 and time.monotonic() < end:
            time.sleep(0.01)
        assert bench.run.assets.seen == 3
        yield found("last.good")

    assert bench.walk(source()) < MOMENT
    assert bench.run.assets.completed == 4


def test_neither_a_new_file_nor_the_last_result_waits_for_a_clock(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.engine.executor.BATCH_SECONDS", 60.0)
    for often in ("_SOURCE_S", "_LOOK_S"):
        monkeypatch.setattr(f"cortex.engine.supervisor.{often}", 60.0)
    bench = Bench(lane)
    looked = threading.Event()
    items = bench.executor.intake.items

    def looking() -> Iterator[Any]:
        for item in items():
            if item is None:
                looked.set()
            yield item

    monkeypatch.setattr(bench.executor.intake, "items", looking)

    def source() -> Iterator[Found]:
        assert looked.wait(MOMENT)
        yield found("1.good")

    assert bench.walk(source()) < MOMENT
    assert bench.run.assets.completed == 1


@pytest.mark.parametrize("where", ["trouble", "unknown"])
def test_an_error_of_loom_ends_it_soon_whoever_is_at_work_and_however_much_waits(bench: Bench, where: str) -> None:
    setattr(bench, where, LoomError("DISK_FULL"))
    began = time.monotonic()
    with pytest.raises(LoomError) as raised:
        bench.walk(itertools.chain([found("x.wait@0")], good()))
    assert raised.value.code == "DISK_FULL"
    assert time.monotonic() - began < MOMENT


def test_an_error_of_the_source_is_raised_when_the_rest_is_kept(bench: Bench) -> None:
    def broken() -> Iterator[Found]:
        yield from itertools.islice(good(), 10)
        raise LoomError("DATABASE_BUSY")

    with pytest.raises(LoomError, match="locked"):
        bench.walk(broken())
    assert bench.run.assets.completed == 10


def test_aborted_it_ends_though_a_file_takes_long_and_the_source_is_ahead(bench: Bench) -> None:
    def abort() -> Iterator[Found]:
        yield found("x.wait@0")
        for number, one in enumerate(good()):
            if number == 1000:
                bench.executor.abort()
            yield one

    assert bench.walk(abort()) < MOMENT


def test_stopped_it_does_not_wait_for_a_source_that_hangs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.engine.executor._FAREWELL_S", 0.2)
    input_comes = threading.Event()

    def waits() -> Iterator[Found]:
        yield found("1.good")
        bench.executor.stop()
        input_comes.wait(20)

    assert bench.walk(waits()) < MOMENT
    input_comes.set()


def test_a_file_that_kills_its_workers_while_it_is_read_is_unreadable(lane: Lane) -> None:
    bench = Bench(lane)
    bench.walk(iter([found("1.good"), found("2.segv@read"), found("3.good")]))
    assert bench.failures == ["WORKER_CRASHED"]
    assert (bench.run.assets.unreadable, bench.run.assets.completed) == (1, 2)


def test_a_step_that_works_for_long_is_announced_once_and_never_after_its_end(bench: Bench) -> None:
    intake, executor = bench.executor.intake, bench.executor
    intake.scan(iter([found("1.good"), found("2.good")]), lambda: None)
    entries: list[Entry] = []
    for item in itertools.islice(intake.items(), 2):
        assert item is not None
        identity = Identity(item.token, bytes([item.token]) * 32, 1, "text/plain", Kind.TEXT, 0)
        executor.announce(item.token, 0, 0)
        assert bench.published == [], "its content is not known yet"
        intake.answer([identity])
        entries.append(intake.entry(item.token))
    first, second = entries
    for _ in range(2):
        executor.announce(first.token, 0, 0)
    second.told = True
    executor.announce(second.token, 0, 0)
    executor.announce(99, 0, 0)
    (event,) = bench.published
    assert bench.run.opened, "nothing is told of a run before its beginning"
    assert isinstance(event, NodeEvent)
    assert (event.node, event.asset, event.status) == ("a", bytes([first.token]) * 32, "STARTED")
