"""The counts of runs that go on, and of those that nobody hears of any more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from databases import new_sqlite
from ledgers import BROKEN, COMPUTED, HOST, WORKER, begin, closing, definition, opening, report, toy_operators
from msgspec.structs import replace

from loom.bus.hub import Hub
from loom.events import Progress, RunEvent, RunHead
from loom.model import AssetCounts, Depth, NodeCounts, Pause, RunState
from loom.service import LocalLoom
from loom.steering import RunRequest
from loom.store.database import Database


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    loom = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", Hub(), toy_operators())
    yield loom
    loom.close()


def walk(loom: LocalLoom, run: UUID, *contents: str, worker: str | None = None) -> None:
    reports = [report(one, outcomes=[BROKEN if one.startswith("broken") else COMPUTED, COMPUTED]) for one in contents]
    loom.report(run, reports, worker=worker)


def say(loom: LocalLoom, run: UUID, *, dry_run: bool = False, seen: int = 5) -> None:
    nodes = {"sha256": NodeCounts(computed=seen)}
    head = RunHead(run, "photos", dry_run)
    loom.progress(head, Progress(assets=AssetCounts(seen=seen, completed=seen), nodes=nodes, bytes_read=70))


def shown(loom: LocalLoom, run: UUID) -> set[tuple[int, int]]:
    """Files and bytes, by both ways to ask."""
    listed = next(one for one in loom.runs().items if one.uuid == run)
    return {(one.assets.seen, one.bytes) for one in (loom.run(run), listed)}


def test_a_run_that_goes_on_has_the_counts_that_were_last_heard(loom: LocalLoom) -> None:
    run, other = begin(loom), begin(loom)
    walk(loom, run, "a")
    say(loom, run)
    assert shown(loom, run) == {(5, 70)}
    assert loom.run(run).nodes["sha256"].computed == 5
    assert shown(loom, other) == {(0, 0)}
    paused = loom.pause_run(run, Pause(owner="user", reason="", depth=Depth.NEW, since=1))
    assert (paused.assets.seen, paused.state) == (5, RunState.RUNNING)
    loom.finish_run(closing(run))
    assert shown(loom, run) == {(3, 7)}, "how it ended counts, whatever was heard"


def test_a_dry_run_that_goes_on_has_them_too(loom: LocalLoom) -> None:
    loom.save_pipeline(definition())
    wish = RunRequest(uuid=uuid4(), pipeline="photos", version=0, queued=0, paths=(b"/data",), dry_run=True)
    run = loom.request_run(wish).uuid
    loom.claim_run(WORKER.name, HOST)
    loom.open_run(opening(uuid=run, dry_run=True))
    say(loom, run, dry_run=True)
    assert shown(loom, run) == {(5, 70)}
    loom.finish_run(replace(closing(run), worker=WORKER.name))
    assert shown(loom, run) == {(3, 7)}


def test_a_run_that_nobody_hears_of_has_the_counts_of_what_it_has_stored(loom: LocalLoom) -> None:
    run = begin(loom, started=1)
    walk(loom, run, "a", "broken b", "c")
    expected = AssetCounts(seen=3, completed=2, failed=1)
    assert loom.run(run).assets == replace(expected, new=3)
    assert loom.run(run).nodes == {"sha256": NodeCounts(computed=2, failed=1), "small": NodeCounts(computed=3)}
    assert [one.assets for one in loom.runs().items] == [expected]


def test_an_abandoned_run_ends_with_the_counts_of_what_it_has_stored(loom: LocalLoom) -> None:
    run = begin(loom, started=1)
    walk(loom, run, "a", "broken b")
    loom.end_abandoned_runs(HOST)
    ended = loom.run(run)
    assert (ended.state, ended.assets) == (RunState.FAILED, AssetCounts(seen=2, new=2, completed=1, failed=1))
    assert (ended.nodes["sha256"], ended.bytes) == (NodeCounts(computed=1, failed=1), 20)
    assert loom.runs().items == [ended], "what is listed is what was written down"


def test_of_a_run_that_goes_on_with_another_worker_both_parts_are_told(loom: LocalLoom) -> None:
    loom.save_pipeline(definition())
    run = loom.request_run(RunRequest(uuid=uuid4(), pipeline="photos", version=0, queued=0, paths=(b"/d",))).uuid
    loom.claim_run(WORKER.name, HOST)
    loom.open_run(opening(uuid=run))
    walk(loom, run, "a", "b", worker=WORKER.name)
    say(loom, run, seen=2)
    assert shown(loom, run) == {(2, 70)}
    loom.release_run(run, WORKER.name)
    assert loom.run(run).assets.seen == 2
    loom.claim_run(WORKER.name, HOST)
    assert shown(loom, run) == {(2, 20)}, "what the former said is over"
    loom.open_run(opening(uuid=run))
    loom.publish(RunHead(run, "photos", False), [RunEvent(5, "STARTED")])
    say(loom, run, seen=4)
    assert shown(loom, run) == {(6, 90)}
    assert loom.run(run).nodes["sha256"].computed == 6
