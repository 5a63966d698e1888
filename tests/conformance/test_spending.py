"""What a run has spent on language models."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from ledgers import COMPUTED, HOST, begin, closing, digest, found, opening, report
from msgspec.structs import replace

from loom.model import Branch, Spent, State, StepRef, StoredResult

STEPS = (
    StepRef("said", "llm.prompt", "1", digest("said")),
    StepRef("other", "example.other", "1", digest("other")),
)


def answer(step: StepRef, **outputs: Any) -> StoredResult:
    return StoredResult(step.signature, State.COMPLETED, Branch.PASS, json.dumps(outputs).encode())


@pytest.fixture
def run(loom: Any) -> UUID:
    """Two assets were asked about, one of them twice, and a third needed no asking."""
    begin(loom)
    made = opening(steps=STEPS)
    loom.open_run(made)
    said, other = STEPS
    for _ in range(2):
        loom.report(made.uuid, [
            report("a", found(b"/a"), outcomes=[COMPUTED] * 2, results=[
                answer(said, prompt_tokens=100, completion_tokens=20, cost=0.5, text="no"),
                answer(other, prompt_tokens=7, cost=9.0)]),
            report("b", found(b"/b"), outcomes=[COMPUTED] * 2, results=[
                answer(said, prompt_tokens=[1, 2, None], completion_tokens=[3, 4, 5], cost=[0.25, 0.0, 0.125])]),
            report("c", found(b"/c"), outcomes=[COMPUTED] * 2, results=[answer(said)]),
        ])  # fmt: skip
    return UUID(str(made.uuid))


ALL = Spent(103, 32, 0.875)


def test_it_is_known_while_the_run_goes_on_and_kept_when_it_ends(loom: Any, run: UUID) -> None:
    assert loom.run(run).spent == ALL
    told = Spent(200, 40, 1.0)
    loom.finish_run(replace(closing(run), nodes={}, spent=told))
    assert loom.run(run).spent == told
    assert [one.spent for one in loom.runs().items if one.uuid == run] == [told]


def test_a_run_that_finds_all_results_stored_has_spent_nothing(loom: Any, run: UUID) -> None:
    again = opening(steps=STEPS)
    loom.open_run(again)
    loom.report(again.uuid, [report("a", found(b"/a"), outcomes=[COMPUTED] * 2)])
    assert loom.run(again.uuid).spent is None
    loom.finish_run(replace(closing(again.uuid), nodes={}))
    assert loom.run(again.uuid).spent is None


def test_a_run_that_was_abandoned_has_spent_what_is_stored(loom_over_sqlite: Any, run: UUID, loom: Any) -> None:
    if loom is not loom_over_sqlite:
        pytest.skip("only the holder of a data folder ends abandoned runs")
    assert loom.end_abandoned_runs(HOST) == 2
    assert loom.run(run).spent == ALL
