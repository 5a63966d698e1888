from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from databases import new_sqlite
from ledgers import HOST, OPERATORS, WORKER, SilentBus, begin, closing, definition, opening, report, toy_operators
from msgspec.structs import replace

from loom.errors import LoomError
from loom.events import Progress, RunEvent, RunHead
from loom.graph.specs import OperatorSpec
from loom.model import AssetCounts, RunState, Worker
from loom.service import LocalLoom
from loom.steering import RunRequest
from loom.store.database import Database


@pytest.fixture
def bus() -> SilentBus:
    return SilentBus()


@pytest.fixture
def loom(tmp_path: Path, bus: SilentBus):
    loom = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", bus, toy_operators())
    yield loom
    loom.close()


def test_events_are_handed_on_to_the_bus(loom, bus):
    head = RunHead(uuid4(), "photos", False)
    progress = Progress(assets=AssetCounts(), nodes={})
    loom.publish(head, [RunEvent(1, "STARTED")])
    loom.progress(head, progress)
    assert bus.published == [(head, (RunEvent(1, "STARTED"),)), (head, progress)]


def test_what_workers_announced_is_known_with_its_newest_spec(loom):
    loom.announce(Worker(name="old"), HOST, [OperatorSpec(id="hash.sha256", version="0")])
    loom.announce(WORKER, HOST, OPERATORS)
    assert loom.announced() == sorted(OPERATORS, key=lambda spec: spec.id)


def test_runs_that_were_never_finished_are_ended_for_their_host(loom):
    left = begin(loom)
    elsewhere = begin(loom, host="elsewhere")
    ended = begin(loom)
    loom.finish_run(closing(ended))
    assert loom.end_abandoned_runs(HOST) == 1
    assert [loom.run(run).state for run in (left, elsewhere, ended)] == [
        RunState.FAILED, RunState.RUNNING, RunState.COMPLETED
    ]  # fmt: skip
    assert loom.run(left).finished is not None
    assert loom.end_abandoned_runs(HOST) == 0


def test_a_deleted_pipeline_still_counts_as_had(loom):
    assert loom.never_had_pipelines()
    loom.save_pipeline(definition())
    assert not loom.never_had_pipelines()
    loom.delete_pipeline("photos")
    assert not loom.never_had_pipelines()


def test_a_deleted_pipeline_can_be_restored_from_a_version_that_is_kept(loom):
    begin(loom)
    loom.delete_pipeline("photos")
    assert loom.restore_pipeline("photos", 1).version == 1
    assert loom.pipeline("photos").version == 1


def test_a_loom_that_is_only_looked_at_writes_nothing(loom, tmp_path):
    loom.save_pipeline(definition())
    loom.close()
    (tmp_path / "blobs" / ".new").mkdir(parents=True)
    (tmp_path / "blobs" / ".new" / "left").write_bytes(b"by someone")
    looking = LocalLoom(
        Database.open_readonly(f"sqlite:///{tmp_path}/loom.db"), tmp_path / "blobs", SilentBus(), toy_operators()
    )
    assert looking.pipeline("photos").version == 1
    with pytest.raises(LoomError) as refused:
        looking.open_run(opening())
    assert refused.value.code == "INTERNAL"
    looking.close()
    assert (tmp_path / "blobs" / ".new" / "left").exists()


def test_a_run_that_was_given_up_too_early_goes_on_once_its_worker_speaks(loom):
    """As that of a worker over HTTP, which was away while another process took over the data folder."""
    reports, asks, ends, silent = (begin(loom) for _ in range(4))
    assert loom.end_abandoned_runs(HOST) == 4
    loom.report(reports, [report("a")])
    loom.orders(WORKER.name, [asks])
    loom.finish_run(closing(ends))
    states = [loom.run(run).state for run in (reports, asks, ends, silent)]
    assert states == [RunState.RUNNING, RunState.RUNNING, RunState.COMPLETED, RunState.FAILED]
    assert loom.run(reports).finished is None


def test_a_run_that_has_ended_as_failed_stays_so(loom):
    run = begin(loom)
    loom.finish_run(closing(run, RunState.FAILED))
    loom.orders(WORKER.name, [run])
    with pytest.raises(LoomError) as refused:
        loom.report(run, [report("a")])
    assert refused.value.code == "REQUEST_INVALID"
    assert loom.run(run).state is RunState.FAILED


def test_of_a_dry_run_all_is_told_that_its_worker_does_not_tell(loom, bus):
    loom.save_pipeline(definition())
    wish = RunRequest(uuid=uuid4(), pipeline="photos", version=0, queued=0, paths=(b"/d",), dry_run=True)
    loom.request_run(wish)
    loom.claim_run(WORKER.name, HOST)
    assert loom.run(wish.uuid).started is not None
    for _ in range(2):
        loom.finish_run(replace(closing(wish.uuid, RunState.PARTIAL), worker=WORKER.name))
    assert {(head.uuid, head.dry_run) for head, _ in bus.published} == {(wish.uuid, True)}
    told = [(event.status, event.assets and event.assets.seen) for _, events in bus.published for event in events]
    assert told == [("QUEUED", None), ("STARTED", None), ("PARTIAL", 3)]
