"""Runs that their callers execute themselves end when nothing is heard of them, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from databases import new_sqlite
from ledgers import COMPUTED, HOST, WORKER, begin, closing, definition, opening, report, toy_operators
from programs import until

from loom.bus.hub import Hub
from loom.events import Progress, RunHead
from loom.model import AssetCounts, RunState
from loom.service import LocalLoom
from loom.service.silence import ending_silent_runs
from loom.steering import RunRequest
from loom.store.database import Database

SECOND = 1_000_000
SILENT = 300 * SECOND


class Clock:
    def __init__(self) -> None:
        self.now = 10**15

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("steering", "running", "ledger"):
        monkeypatch.setattr(f"loom.service.{module}.now_us", clock)
    monkeypatch.setattr("loom.bus.live._now_us", clock)
    return clock


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def loom(tmp_path: Path, hub: Hub) -> Iterator[LocalLoom]:
    loom = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", hub, toy_operators())
    yield loom
    loom.close()


def states(loom: LocalLoom, *runs: UUID) -> list[RunState]:
    return [loom.run(run).state for run in runs]


def told(hub: Hub, run: UUID) -> list[str]:
    return [one.event.status for one in hub._log.after(0) if one.run.uuid == run]


def test_of_which_nothing_is_heard_ends_with_a_reason_and_others_go_on(loom: LocalLoom, hub: Hub, clock: Clock) -> None:
    silent, elsewhere, reports, asks, speaks = (begin(loom, host=host) for host in (HOST, "other", HOST, HOST, HOST))
    loom.report(silent, [report("a", outcomes=[COMPUTED, COMPUTED])])
    clock.now += SILENT - SECOND
    assert loom.end_silent_runs(SILENT) == 0
    loom.report(reports, [report("b")])
    loom.orders("anyone", [asks])
    loom.progress(RunHead(speaks, "photos", False), Progress(assets=AssetCounts(), nodes={}))
    clock.now += 2 * SECOND
    assert loom.end_silent_runs(SILENT) == 2
    assert loom.end_silent_runs(SILENT) == 0
    assert states(loom, silent, elsewhere) == [RunState.FAILED] * 2
    assert states(loom, reports, asks, speaks) == [RunState.RUNNING] * 3
    ended = loom.run(silent)
    assert ended.error is not None
    assert (ended.error.code, ended.assets.seen, ended.problems) == ("RUN_ABANDONED", 1, 1)
    assert "300 s" in ended.error.message
    assert told(hub, silent) == ["FAILED"]


def test_one_that_was_only_away_goes_on_as_if_nothing_had_been(loom: LocalLoom, hub: Hub, clock: Clock) -> None:
    reports, asks, ends = (begin(loom) for _ in range(3))
    clock.now += SILENT + SECOND
    assert loom.end_silent_runs(SILENT) == 3
    loom.report(reports, [report("a")])
    loom.orders("anyone", [asks])
    loom.finish_run(closing(ends))
    assert states(loom, reports, asks, ends) == [RunState.RUNNING, RunState.RUNNING, RunState.COMPLETED]
    for run in (reports, asks):
        shown = loom.run(run)
        assert (shown.error, shown.problems, loom.run_problems(run).items) == (None, 0, [])
        assert told(hub, run) == ["FAILED", "STARTED"]
        loom.progress(RunHead(run, "photos", False), Progress(assets=AssetCounts(seen=7), nodes={}))
        assert loom.run(run).assets.seen == 7
    assert loom.run(ends).problems == 0


def test_one_that_was_cancelled_ends_so_and_keeps_what_its_caller_had_in_hand(
    loom: LocalLoom, hub: Hub, clock: Clock
) -> None:
    run, left = begin(loom), begin(loom)
    for one in (run, left):
        loom.orders("anyone", [one])
        assert loom.cancel_run(one).state is RunState.RUNNING
    loom.report(run, [report("a", outcomes=[COMPUTED, COMPUTED])])
    clock.now += SILENT + SECOND
    assert loom.end_silent_runs(SILENT) == 2
    ended = loom.run(run)
    assert (ended.state, ended.error, ended.problems, ended.assets.seen) == (RunState.CANCELLED, None, 0, 1)
    assert told(hub, run) == ["CANCELLED"]
    assert loom.orders("anyone", [run])[0].cancelled
    loom.report(run, [report("b", outcomes=[COMPUTED, COMPUTED])])
    assert states(loom, run, left) == [RunState.CANCELLED] * 2
    loom.finish_run(closing(run))
    assert states(loom, run) == [RunState.CANCELLED]
    assert told(hub, run) == ["CANCELLED"]


def test_the_same_for_what_a_dead_process_left(loom: LocalLoom) -> None:
    run = begin(loom)
    loom.orders("anyone", [run])
    loom.cancel_run(run)
    assert loom.end_abandoned_runs(HOST) == 1
    assert states(loom, run) == [RunState.CANCELLED]


def test_one_that_another_worker_may_go_on_with_is_left(loom: LocalLoom, clock: Clock) -> None:
    loom.save_pipeline(definition())
    wish = RunRequest(uuid=UUID(int=5), pipeline="photos", version=0, queued=0, paths=(b"/d",))
    run = loom.request_run(wish).uuid
    loom.claim_run(WORKER.name, HOST)
    loom.open_run(opening(uuid=run))
    clock.now += 10 * SILENT
    assert loom.end_silent_runs(SILENT) == 0
    assert states(loom, run) == [RunState.RUNNING]


def test_it_is_done_while_loom_is_open(loom: LocalLoom) -> None:
    run = begin(loom)
    with ending_silent_runs(loom, silent_s=0, every_s=0.01):
        until(lambda: loom.run(run).state is RunState.FAILED)
