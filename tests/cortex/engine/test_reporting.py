from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from cortex.engine.entry import Entry
from cortex.engine.records import Computed, Identity, Lane, Walked
from cortex.engine.reporting import Batch, Finished, events_of
from cortex.engine.tally import LaneRun, WouldWrite
from cortex.engine.walk import RACY_NS
from cortex.node import ProducedArtifact
from cortex.sources.found import Found
from loom.events import AssetEvent, NodeEvent
from loom.graph.plan import AssetFilter
from loom.model import Branch, FileStat, Kind, Origin, Outcome, Reason, State

IDENTITY = Identity(1, b"x" * 32, 10, "text/plain", Kind.TEXT, 0)
DONE = Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS, 5)


@pytest.fixture
def run(make_plan: Callable[..., Any], make_step: Callable[..., Any]) -> LaneRun:
    plan = make_plan(make_step(0, "a"), make_step(1, "b", (0, None)))
    return LaneRun(Lane(AssetFilter(), plan), uuid4(), 0, {})


def entry(mtime_ns: int = 0, since: int = 0) -> Entry:
    return Entry(1, Found(b"/m", b"f", b"f", FileStat(10, mtime_ns, 1, 1), None, False), since, IDENTITY)


def computed(step: int, **more: Any) -> Computed:
    artifact = ProducedArtifact("page", b"bytes", "text/plain")
    fields = {"verdict": Branch.PASS, "outputs": b"{}", "artifacts": (artifact,), "error_code": None,
              "error_message": None, "started": 100, "duration_us": 5, "retryable": False} | more  # fmt: skip
    return Computed(step, **fields)


def walked(*outcomes: Outcome | None, work: tuple[Computed, ...]) -> Walked:
    return Walked(1, IDENTITY, FileStat(10, 0, 1, 1), True, outcomes, work, next_step=len(work))


def test_what_was_stored_on_the_way_is_not_stored_again(run: LaneRun) -> None:
    one = entry()
    first = Batch(run)
    first.add(Finished(one, run, walked(DONE, None, work=(computed(0),)), done=False))
    one.kept = 1
    last = Batch(run)
    last.add(Finished(one, run, walked(DONE, DONE, work=(computed(0, artifacts=()), computed(1))), done=True))
    signatures = [[r.signature for r in batch.reports[0].results] for batch in (first, last)]
    assert signatures == [[run.lane.plan.steps[0].signature], [run.lane.plan.steps[1].signature]]
    assert first.reports[0].outcomes is None
    assert not first.reports[0].settled
    assert last.reports[0].settled
    would = WouldWrite()
    first.would_write(would)
    last.would_write(would)
    assert (would.results, would.locations, would.artifacts, would.bytes) == (2, 1, 1, 9), "the same file, once"


@pytest.mark.parametrize(("age", "trusted"), [(RACY_NS, True), (RACY_NS - 1, False)])
def test_a_copy_written_just_before_it_was_read_is_not_trusted(run: LaneRun, age: int, trusted: bool) -> None:
    batch = Batch(run)
    batch.add_place(entry(mtime_ns=10**18, since=10**18 + age))
    assert batch.reports[0].found[0].trusted is trusted


def test_events_of_a_walk(run: LaneRun) -> None:
    work = (computed(0, error_code="FILE_DAMAGED", error_message="broken", attempts=2),)
    outcomes = (Outcome(State.FAILED, None, Origin.COMPUTED), Outcome(State.SKIPPED, Reason.UPSTREAM_FAILED))
    started, failed, skipped, asset = events_of(Finished(entry(), run, walked(*outcomes, work=work), done=True), 7)
    assert isinstance(started, NodeEvent)
    assert isinstance(failed, NodeEvent)
    assert isinstance(skipped, NodeEvent)
    assert isinstance(asset, AssetEvent)
    assert (started.time, started.status, failed.time, failed.status) == (100, "STARTED", 105, "FAILED")
    assert (failed.error, failed.attempts) == (("FILE_DAMAGED", "broken"), 2)
    assert (skipped.status, skipped.reason) == ("SKIPPED", Reason.UPSTREAM_FAILED)
    assert (asset.time, asset.status) == (7, "FAILED")
    assert [node for node, *_ in asset.nodes] == ["a", "b"]


def test_a_step_announced_while_it_worked_does_not_start_twice(run: LaneRun) -> None:
    one = entry()
    one.announced.add(0)
    batch = Batch(run)
    batch.add(Finished(one, run, walked(DONE, DONE, work=(computed(0), computed(1))), done=True))
    batch.add_events(7)
    statuses = [(e.node, str(e.status)) for e in batch.events if isinstance(e, NodeEvent)]
    assert statuses == [("a", "COMPLETED"), ("b", "STARTED"), ("b", "COMPLETED")]
    assert one.told
