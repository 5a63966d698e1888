"""What kept a run from files, folders and sources; and runs of which nothing is stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from ledgers import COMPUTED, HOST, WORKER, begin, closing, definition, found, opening, report
from msgspec.structs import replace

from loom.errors import LoomError
from loom.model import AssetCounts, NodeCounts, Problem, RunState
from loom.shapes import NodeFlow
from loom.steering import RunRequest, Selection

CLOSED = Problem(b"/data/\xff.jpg", "FILE_UNREADABLE", "Permission denied.")
AWAY = Problem(b"/disk", "SOURCE_UNREACHABLE", "there is no such file or folder")


def asked(loom: Any, *, dry_run: bool = False) -> UUID:
    loom.save_pipeline(definition())
    wish = RunRequest(uuid=uuid4(), pipeline="photos", version=0, queued=0, paths=(b"/data",), dry_run=dry_run)
    return UUID(str(loom.request_run(wish).uuid))


def dry(loom: Any) -> UUID:
    """A dry run that has ended, with a problem."""
    run = asked(loom, dry_run=True)
    loom.claim_run(WORKER.name, HOST)
    loom.open_run(opening(uuid=run, dry_run=True))
    loom.finish_run(replace(closing(run, RunState.PARTIAL), worker=WORKER.name, problems=(CLOSED,)))
    return run


def test_problems_are_kept_with_the_run(loom: Any) -> None:
    run, other = begin(loom), begin(loom)
    assert (loom.run(run).problems, loom.run_problems(run).items) == (0, [])
    for _ in range(2):
        loom.finish_run(replace(closing(run, RunState.PARTIAL), problems=(AWAY, CLOSED), problems_total=7))
    assert (loom.run(run).problems, loom.run(run).error, loom.run(other).problems) == (7, None, 0)
    first = loom.run_problems(run, limit=1)
    (away,), second = first.items, loom.run_problems(run, limit=1, cursor=first.next)
    assert (away.path, away.path_b64, away.code) == ("/disk", None, "SOURCE_UNREACHABLE")
    assert (away.message, away.retryable) == (AWAY.message, True)
    (closed,) = second.items
    assert (closed.path, closed.path_b64, second.next) == ("/data/\ufffd.jpg", "L2RhdGEv/y5qcGc=", None)
    assert loom.run_problems(other).items == []
    with pytest.raises(LoomError):
        loom.run_problems(uuid4())


def test_of_very_many_problems_the_first_are_kept_and_all_are_counted(loom: Any) -> None:
    run = begin(loom)
    many = tuple(Problem(b"/%d" % number, "FILE_UNREADABLE", "no") for number in range(1500))
    loom.finish_run(replace(closing(run, RunState.PARTIAL), problems=many))
    assert loom.run(run).problems == 1500
    last = loom.run_problems(run, limit=500)
    while last.next is not None:
        last = loom.run_problems(run, limit=500, cursor=last.next)
    assert last.items[-1].path == "/999"


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("problem", "message"),
    [(AWAY, "/disk: there is no such file or folder"), (Problem(b"", "DISK_FULL", "no room"), "no room")],
)
def test_a_run_that_could_not_be_done_says_why(loom: Any, problem: Problem, message: str, dry_run: bool) -> None:
    run = asked(loom, dry_run=dry_run)
    loom.claim_run(WORKER.name, HOST)
    loom.open_run(opening(uuid=run, dry_run=dry_run))
    loom.finish_run(replace(closing(run, RunState.FAILED), worker=WORKER.name, problems=(problem,)))
    for shown in (loom.run(run), *loom.runs().items):
        assert (shown.state, shown.error.code, shown.error.message) == (RunState.FAILED, problem.code, message)


def test_a_dry_run_answers_with_what_is_known_of_it(loom: Any) -> None:
    run = dry(loom)
    assert (loom.run_results(run).items, loom.failures(Selection(run=run))) == ([], [])
    grid = loom.run_grid(run, offset=5)
    assert (grid.run, grid.total, grid.nodes, grid.rows) == (run, 0, ["sha256", "small"], [])
    assert loom.run_flow(run).nodes == {"sha256": NodeFlow(passed=3), "small": NodeFlow(errors=1)}
    assert (loom.run(run).problems, [one.code for one in loom.run_problems(run).items]) == (1, [CLOSED.code])


@pytest.mark.parametrize("verb", ["retry", "forget", "failed_places", "set_aside"])
def test_nothing_of_a_dry_run_can_be_tried_again(loom: Any, verb: str) -> None:
    with pytest.raises(LoomError) as refused:
        getattr(loom, verb)(Selection(run=dry(loom)))
    assert refused.value.code == "REQUEST_INVALID"
    assert "dry run" in refused.value.message


def test_a_run_that_waits_has_nothing_yet(loom: Any) -> None:
    run = asked(loom)
    assert loom.run_results(run).items == loom.run_problems(run).items == loom.failures(Selection(run=run)) == []
    assert (loom.run_flow(run).nodes, loom.run_grid(run).total) == ({}, 0)


def test_what_a_cancelled_run_has_walked_is_counted(loom: Any) -> None:
    """Its worker has died, and says nothing more."""
    run = asked(loom)
    loom.claim_run(WORKER.name, HOST)
    loom.open_run(opening(uuid=run))
    loom.report(run, [report(name, found(b"/data/" + name.encode()), outcomes=[COMPUTED, COMPUTED]) for name in "ab"],
                worker=WORKER.name)  # fmt: skip
    loom.release_run(run, WORKER.name, LoomError("DISK_FULL"))
    ended = loom.run(run)
    assert ended.state is RunState.FAILED
    assert ended.assets == AssetCounts(seen=2, new=2, completed=2)
    assert ended.nodes == {name: NodeCounts(computed=2) for name in ("sha256", "small")}
    assert ended.bytes == 20
