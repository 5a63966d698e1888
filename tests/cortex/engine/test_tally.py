from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from cortex.engine import tally
from cortex.engine.records import Lane
from cortex.engine.tally import LaneRun, WouldWrite, add_counts, end_state
from loom.graph.plan import AssetFilter
from loom.model import AssetCounts, Branch, NodeCounts, Origin, Outcome, Reason, RunState, State


@pytest.fixture
def run(make_plan: Callable[..., Any], make_step: Callable[..., Any]) -> LaneRun:
    steps = [make_step(index, node) for index, node in enumerate("abcdef")]
    return LaneRun(Lane(AssetFilter(), make_plan(*steps)), uuid4(), 0, {})


def stored(origin: Origin, verdict: Branch) -> Outcome:
    return Outcome(State.SKIPPED, Reason.STORED, origin, verdict)


def test_outcomes_are_counted_under_their_nodes(run: LaneRun) -> None:
    outcomes = [
        Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS),
        Outcome(State.FAILED, None, Origin.COMPUTED),
        Outcome(State.SKIPPED, Reason.FILTERED),
        stored(Origin.REMOTE, Branch.PASS),
        stored(Origin.CACHED, Branch.ERROR),
        None,
    ]
    assert run.count(outcomes) == (1, 1)
    assert run.nodes == {
        "a": NodeCounts(computed=1), "b": NodeCounts(failed=1), "c": NodeCounts(skipped=1),
        "d": NodeCounts(remote=1), "e": NodeCounts(cached=1), "f": NodeCounts(),
    }  # fmt: skip


def test_it_is_remembered_of_which_of_the_last_assets_nodes_failed(
    run: LaneRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "KEPT_FAILURES", 2)
    for asset, now in ((b"1", True), (b"2", False), (b"3", True)):
        run.keep_failure(asset, now=now)
    assert [run.failed_now(asset) for asset in (b"1", b"2", b"3", b"4")] == [None, False, True, None]


def test_how_a_run_ends(run: LaneRun) -> None:
    assert end_state(run.assets, cancelled=False, broken=False) is RunState.COMPLETED
    run.assets.unreadable = 1
    assert end_state(run.assets, cancelled=False, broken=False) is RunState.PARTIAL
    assert end_state(run.assets, cancelled=False, broken=True) is RunState.FAILED
    assert end_state(run.assets, cancelled=True, broken=True) is RunState.CANCELLED


@pytest.mark.parametrize(
    ("seen", "state"), [(0, RunState.FAILED), (3, RunState.PARTIAL)], ids=["nothing else", "the rest was walked"]
)
def test_a_run_whose_source_is_away_is_not_complete(seen: int, state: RunState) -> None:
    assert end_state(AssetCounts(seen=seen), cancelled=False, broken=False, unreachable=True) is state


def test_effects_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MAX_EFFECTS", 2)
    would = WouldWrite()
    for number in range(5):
        would.effect(str(number))
    assert (would.effects, would.more_effects) == (["0", "1"], 3)


def test_counts_add_up() -> None:
    total = AssetCounts(seen=1, failed=2)
    add_counts(total, AssetCounts(seen=3, unmatched=4))
    assert total == AssetCounts(seen=4, failed=2, unmatched=4)
