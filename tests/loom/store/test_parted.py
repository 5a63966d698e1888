"""Assets by bucket, and those that went along both branches, of a run."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from ledgers import COMPUTED, STEPS, begin, found, report

from loom.model import Branch, Outcome, Reason, State, StoredResult
from loom.service import LocalLoom
from loom.shapes import NodeFlow

PARTING = {"small": frozenset({"light", "other"})}


def result(node: int, **outputs: Any) -> StoredResult:
    return StoredResult(STEPS[node].signature, State.COMPLETED, Branch.PASS, msgspec.json.encode(outputs))


def skipped(reason: Reason) -> Outcome:
    return Outcome(State.SKIPPED, reason)


@pytest.fixture
def run_flow(loom: LocalLoom, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reports assets, each with its outputs and outcome at the second node; what its flow is then."""
    monkeypatch.setattr("loom.graph.parting.parting", lambda definition, operators: PARTING)
    run = begin(loom)

    def flow(**walked: tuple[dict[str, Any] | None, Outcome]) -> NodeFlow:
        reports = []
        for name, (outputs, outcome) in walked.items():
            results = [] if outputs is None else [result(1, **outputs)]
            place = found(b"/data/" + name.encode())
            reports.append(report(name, place, outcomes=[COMPUTED, outcome], results=results))
        loom.report(run, reports)
        return loom.run_flow(run).nodes["small"]

    return flow


def test_assets_are_counted_by_bucket_and_what_was_skipped_is_among_the_rest(run_flow: Any) -> None:
    told = run_flow(
        a=({"bucket": "light"}, COMPUTED), b=({"bucket": "light"}, COMPUTED), c=({"bucket": "heavy"}, COMPUTED),
        d=(None, skipped(Reason.FILTERED)), e=({"bucket": "light"}, skipped(Reason.BRANCH_NOT_TAKEN)),
    )  # fmt: skip
    assert told.buckets == {"light": 2, "heavy": 1, "other": 1}
    assert run_flow(f=({"bucket": "other"}, COMPUTED)).buckets == {"light": 2, "heavy": 1, "other": 2}


def test_an_asset_counts_for_each_bucket_and_branch_that_one_of_its_items_went(run_flow: Any) -> None:
    told = run_flow(
        a=({"bucket": ["light", "light", None, "heavy"], "verdicts": ["PASS", "PASS", None, "FAIL"]}, COMPUTED),
        b=({"bucket": [], "verdicts": []}, COMPUTED), c=({"bucket": [None], "verdicts": ["PASS"]}, COMPUTED),
        d=({"bucket": 7, "verdicts": 7}, COMPUTED),
    )  # fmt: skip
    assert (told.buckets, told.both) == ({"light": 1, "heavy": 1, "other": 3}, 1)
