"""A run that goes on with another worker counts as one."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from ledgers import BROKEN, COMPUTED, HOST, WORKER, closing, definition, failed, found, opening, report
from msgspec.structs import replace

from loom.model import AssetCounts, Branch, NodeCounts, Origin, Outcome, Reason, RunState, State, Worker
from loom.steering import RunRequest

OTHER = Worker(name="other", versions={"cortex": "1"})
BEFORE = Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.ERROR)
STORED = Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.PASS)
MISSED = Outcome(State.SKIPPED, Reason.UPSTREAM_FAILED)


def at(name: str) -> Any:
    return found(b"/data/" + name.encode())


@pytest.fixture
def run(loom: Any) -> UUID:
    """Its first worker has walked four files of three contents (one failed, one had failed before), and gave it back;
    another has claimed it and begun."""
    loom.save_pipeline(definition())
    wish = RunRequest(uuid=uuid4(), pipeline="photos", version=0, queued=0, paths=(b"/data",))
    run = UUID(str(loom.request_run(wish).uuid))
    loom.claim_run(WORKER.name, HOST)
    loom.open_run(opening(uuid=run))
    loom.report(run, [
        report("a", at("a"), at("copy of a"), outcomes=[COMPUTED, COMPUTED], settled=True),
        report("b", at("b"), results=[failed(0)], outcomes=[BROKEN, MISSED], settled=True),
        report("c", at("c"), outcomes=[BEFORE, MISSED], settled=True),
    ], worker=WORKER.name)  # fmt: skip
    loom.release_run(run, WORKER.name)
    assert loom.claim_run(OTHER.name, HOST).walked
    loom.open_run(opening(uuid=run, worker=OTHER))
    return run


def ended(loom: Any, run: UUID, **counts: int) -> Any:
    """As its last worker counts; said twice."""
    nodes = {"sha256": NodeCounts(computed=1), "small": NodeCounts(computed=1)}
    ends = replace(closing(run), worker=OTHER.name, assets=AssetCounts(**counts), nodes=nodes, state=RunState.COMPLETED)
    for _ in range(2):
        loom.finish_run(ends)
    return loom.run(run)


def test_what_the_first_worker_walked_is_shown_while_the_second_is_at_work(loom: Any, run: UUID) -> None:
    shown = loom.run(run)
    assert (shown.assets.seen, shown.assets.failed, shown.assets.failed_before) == (3, 1, 1)
    assert shown.nodes["sha256"] == NodeCounts(computed=1, remote=1, failed=1)
    assert [one.assets.seen for one in loom.runs().items] == [3]


def test_what_is_passed_over_by_the_second_worker_counts_as_what_it_was(loom: Any, run: UUID) -> None:
    """It sees these four, one that is unchanged since an earlier run, and one that is left to do."""
    loom.report(run, [report("d", at("d"), outcomes=[STORED, COMPUTED], settled=True)], worker=OTHER.name)
    whole = ended(loom, run, seen=6, new=1, unchanged=5, completed=4, failed_before=2)
    assert whole.assets == AssetCounts(seen=6, new=4, unchanged=1, moved=1, completed=4, failed=1, failed_before=1)
    assert whole.nodes == {
        "sha256": NodeCounts(computed=1, remote=2, failed=1),
        "small": NodeCounts(computed=2, skipped=2),
    }
    assert whole.bytes == 40
    assert whole.state is RunState.PARTIAL, "something failed, though not in the hands of the last worker"


def test_what_the_second_worker_takes_for_copies_counts_as_what_it_was(loom: Any, run: UUID) -> None:
    """Files whose stat could not be trusted are met again, and found to be walked already."""
    places = [report("a", at("a"), at("copy of a")), report("b", at("b")), report("c", at("c"))]
    loom.report(run, places, worker=OTHER.name)
    whole = ended(loom, run, seen=4, completed=4)
    assert whole.assets == AssetCounts(seen=4, new=3, completed=2, failed=1, failed_before=1)
    assert whole.state is RunState.PARTIAL


def test_a_second_worker_that_is_stopped_early_has_not_met_all_of_it_again(loom: Any, run: UUID) -> None:
    whole = ended(loom, run, seen=1, unchanged=1, completed=1)
    assert whole.assets == AssetCounts(seen=4, new=3, moved=1, completed=2, failed=1, failed_before=1)


def test_a_third_worker_goes_on_with_both(loom: Any, run: UUID) -> None:
    loom.report(run, [report("d", at("d"), outcomes=[COMPUTED, COMPUTED], settled=True)], worker=OTHER.name)
    loom.release_run(run, OTHER.name)
    loom.claim_run(OTHER.name, HOST)
    loom.open_run(opening(uuid=run, worker=OTHER))
    whole = ended(loom, run, seen=5, unchanged=5, completed=3, failed_before=2)
    assert whole.assets == AssetCounts(seen=5, new=4, moved=1, completed=3, failed=1, failed_before=1)
