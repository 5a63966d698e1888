"""What went from node to node, counted from packed outcomes and kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ledgers import BROKEN, COMPUTED, begin, closing, report

from loom.model import Branch, Origin, Outcome, Reason, State
from loom.packing import OUTCOME_BYTES, pack_outcomes
from loom.service import LocalLoom
from loom.shapes import NodeFlow
from loom.store import counting, flow
from loom.store.flow import Tally

OUTCOMES = [
    Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS, 1000),
    Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS, 3000),
    Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.FAIL, 8000),
    Outcome(State.COMPLETED, None, Origin.CACHED, Branch.PASS),
    Outcome(State.SKIPPED, Reason.STORED, Origin.CACHED, Branch.FAIL),
    Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.ERROR),
    Outcome(State.FAILED, None, Origin.COMPUTED, None, 500),
    Outcome(State.SKIPPED, Reason.FILTERED),
    Outcome(State.SKIPPED, Reason.NOT_PROCESSABLE),
    Outcome(State.SKIPPED, Reason.BRANCH_NOT_TAKEN),
    Outcome(State.SKIPPED, Reason.UPSTREAM_FAILED),
    Outcome(State.SKIPPED, Reason.CANCELLED),
]


def flow_of(*pieces: list[Outcome]) -> NodeFlow:
    tally = Tally()
    for piece in pieces:
        tally.add(np.frombuffer(pack_outcomes(piece), np.uint8).reshape(-1, OUTCOME_BYTES))
    return tally.flow()


def test_every_outcome_is_counted_where_it_went() -> None:
    whole = NodeFlow(passed=3, rejected=2, through=2, missed=3, errors=2, median_ms=3.0)
    assert flow_of(OUTCOMES) == flow_of(OUTCOMES[:2], OUTCOMES[2:7], OUTCOMES[7:]) == whole


def test_nothing_computed_has_no_typical_time() -> None:
    assert flow_of(OUTCOMES[3:4]) == NodeFlow(passed=1)


@pytest.mark.parametrize("took", [0, 1, 511, 1023, 54_321, 3_600_000_000, 2**32 - 1])
def test_a_time_is_told_nearly_right_however_short_or_long(took: int) -> None:
    told = flow_of([Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS, took)]).median_ms
    assert told == pytest.approx(max(took, 1) / 1000, rel=0.004)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """From where to where the assets of runs were looked at."""
    found: list[tuple[int, int]] = []
    pieces: Callable[..., Any] = counting.pieces

    def noted(connection: Any, number: int, count: int, first: int, end: int) -> Any:
        found.append((first, end))
        return pieces(connection, number, count, first, end)

    monkeypatch.setattr(counting, "pieces", noted)
    return found


def test_of_a_run_that_goes_on_only_what_came_since_is_looked_at(
    loom: LocalLoom, looked_at: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "_ANEW", 1e9)
    run = begin(loom)
    loom.report(run, [report(name, outcomes=[COMPUTED, COMPUTED]) for name in "ab"])
    assert loom.run_flow(run).nodes["small"].passed == 2
    loom.report(run, [report("c", outcomes=[COMPUTED, BROKEN])])
    assert loom.run_flow(run).nodes["small"] == NodeFlow(passed=2, errors=1, median_ms=1.5)
    assert looked_at == [(0, 2), (2, 3)]


def test_what_became_something_else_is_counted_anew_and_at_the_latest_when_the_run_has_ended(
    loom: LocalLoom, looked_at: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin(loom)
    loom.report(run, [report("a", outcomes=[COMPUTED, BROKEN])])
    loom.run_flow(run)
    loom.report(run, [report("a", outcomes=[COMPUTED, COMPUTED])])
    monkeypatch.setattr(flow, "_ANEW", 1e9)
    assert loom.run_flow(run).nodes["small"].errors == 1
    monkeypatch.setattr(flow, "_ANEW", 0)
    assert loom.run_flow(run).nodes["small"].errors == 0
    loom.report(run, [report("a", outcomes=[COMPUTED, BROKEN])])
    monkeypatch.setattr(flow, "_ANEW", 1e9)
    loom.finish_run(closing(run))
    looked_at.clear()
    assert [loom.run_flow(run).nodes["small"].errors for _ in range(3)] == [1, 1, 1]
    assert looked_at == [(0, 1)]


def test_only_the_newest_runs_asked_for_are_remembered(
    loom: LocalLoom, looked_at: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "_MOST_RUNS", 1)
    runs = [begin(loom), begin(loom)]
    for run in runs:
        loom.report(run, [report("a", outcomes=[COMPUTED, COMPUTED])])
        loom.finish_run(closing(run))
    for run in (runs[0], runs[1], runs[1], runs[0]):
        loom.run_flow(run)
    assert len(looked_at) == 3
