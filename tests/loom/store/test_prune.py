from __future__ import annotations

import os

import pytest
from ledgers import (
    COMPUTED,
    HOST,
    OPERATORS,
    PLAN,
    STEPS,
    artifact,
    begin,
    closing,
    definition,
    digest,
    done,
    found,
    opening,
    report,
    toy_operators,
)
from msgspec.structs import replace

from loom.graph.announced import Announced
from loom.graph.compiler import compile_definition
from loom.model import Branch, State, StoredResult
from loom.service.base import now_us


def run_of(loom, size: int):
    """A run of the compiled pipeline with this option, as the engine begins it."""
    shape = loom.save_pipeline(definition(size=size))
    plan = compile_definition(shape.definition, toy_operators()).plan
    made = opening(version=shape.version, plan=plan.digest, steps=tuple(step.ref for step in plan.steps))
    loom.open_run(made)
    return made


def result(run, step: int, refs=()):
    return StoredResult(run.steps[step].signature, State.COMPLETED, Branch.PASS, b"{}", refs)


@pytest.fixture
def changed(loom):
    """A pipeline that was changed after a run: the result of its last node is of no use any more, and one of the two
    derived files neither."""
    (old, old_ref), (kept, kept_ref) = artifact(b"of the old node"), artifact(b"of the first node")
    loom.put_artifacts([old, kept])
    run = run_of(loom, size=1)
    loom.report(run.uuid, [
        report("a", found(b"/data/a"), results=[result(run, 0, (kept_ref,)), result(run, 1, (old_ref,))],
               outcomes=[COMPUTED, COMPUTED], settled=True),
    ])  # fmt: skip
    loom.save_pipeline(definition(size=2))
    return run, old_ref, kept_ref


def test_what_no_current_pipeline_can_use_is_removed(loom, changed, tmp_path, contents):
    run, _, kept = changed
    before = contents(tmp_path / "blobs")
    would = loom.prune(dry_run=True, grace_us=0)
    assert (would.results, would.artifacts, would.files, would.bytes) == (1, 1, 1, len(b"of the old node"))
    assert contents(tmp_path / "blobs") == before
    assert len(loom.asset_results(loom.assets().items[0].uuid)) == 2
    assert loom.prune(grace_us=0) == would
    assert [r.node for r in loom.asset_results(loom.assets().items[0].uuid)] == ["sha256"]
    assert [path.name for path in (tmp_path / "blobs").rglob("*") if path.is_file() and path.name != ".lock"] == [
        kept.digest.hex()
    ]
    assert len(loom.run_results(run.uuid).items) == 2
    assert len(loom.assets().items[0].locations) == 1
    assert loom.verify("elsewhere", read_data=True).findings == []
    assert loom.prune(grace_us=0) == (0, 0, 0, 0, 0)


def test_a_restored_pipeline_computes_again_what_was_pruned(loom, changed):
    run = changed[0]
    assert loom.known_files(HOST, [b"/data"], run.plan)[0][0].settled
    loom.prune(grace_us=0)
    assert not loom.known_files(HOST, [b"/data"], run.plan)[0][0].settled


def test_a_node_that_a_current_pipeline_has_is_live_though_it_never_ran_there(loom, changed):
    loom.save_pipeline(definition("another", size=1))
    assert loom.prune(grace_us=0).results == 0


def test_what_is_settled_for_some_pipelines_only_is_visited_again_too(loom, changed):
    run, some = changed[0], digest("some pipelines")
    loom.report(run.uuid, [report("a", found(b"/data/a"), settled=True, settles=some)])
    assert loom.known_files(HOST, [b"/data"], some)[0][0].settled
    loom.prune(grace_us=0)
    assert not loom.known_files(HOST, [b"/data"], some)[0][0].settled


def test_recorded_steps_of_a_current_version_are_live_without_its_operators(loom, changed):
    made = opening(version=2)
    loom.open_run(made)
    loom.report(made.uuid, [report("b", results=[done(0), done(1)])])
    assert loom.prune(grace_us=0).results == 1
    assert len(loom.lookup([digest("b")], [digest("step sha256"), digest("step small")])[0].results) == 2


def test_nothing_is_live_when_all_pipelines_are_deleted(loom, changed):
    loom.delete_pipeline("photos")
    assert loom.prune(grace_us=0)[:2] == (2, 2)
    assert loom.lookup([digest("a")], [])[0].known


def test_derived_files_handed_in_lately_wait_for_their_result(loom, tmp_path):
    new, ref = artifact(b"on its way")
    loom.put_artifacts([new])
    stray = tmp_path / "blobs" / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    assert loom.prune() == loom.prune(dry_run=True) == (0, 0, 0, 0, 1)
    assert loom.artifact(ref.digest)[1] == b"on its way"
    os.utime(stray, (0, 0))
    assert loom.prune() == (0, 0, 1, 5, 1)
    assert not stray.exists()
    assert loom.prune(grace_us=0) == (0, 1, 1, 10, 0)


def test_a_derived_file_that_is_handed_in_again_waits_again(loom):
    new, _ = artifact(b"on its way")
    loom.put_artifacts([new])
    with loom._database.write() as connection:
        connection.exec_driver_sql("UPDATE artifacts SET created = 1")
    loom.put_artifacts([new])
    assert loom.prune() == (0, 0, 0, 0, 1)


def test_pruning_leaves_what_is_settled_elsewhere(loom, changed):
    run = begin(loom)
    loom.report(run, [report("c", found(b"/data/c"), settled=True)])
    loom.save_pipeline(definition("another", size=1))
    loom.prune(grace_us=0)
    assert [f.settled for f in loom.known_files(HOST, [b"/data"], PLAN)[0] if f.name == b"c"] == [True]


def test_of_old_runs_only_the_counts_are_kept(loom):
    now = now_us()
    old, new, open_one = begin(loom), begin(loom), begin(loom)
    for run in (old, new, open_one):
        loom.report(run, [report(c, results=[done(0)], outcomes=[COMPUTED, COMPUTED]) for c in ("a", "b")])
    loom.finish_run(replace(closing(old), finished=now - 3_600_000_000))
    loom.finish_run(replace(closing(new), finished=now))
    hour = 3_600_000_000
    assert loom.forget_outcomes(2 * hour) == 0
    assert loom.forget_outcomes(hour // 2, dry_run=True) == 2
    assert loom.forget_outcomes(hour // 2) == 2
    assert loom.forget_outcomes(hour // 2) == 0
    assert [len(loom.run_results(run).items) for run in (old, new, open_one)] == [0, 4, 4]
    assert loom.run(old).assets.seen == 3
    assert loom.lookup([digest("a")], [STEPS[0].signature])[0].results != ()


def test_what_a_pipeline_without_a_plan_may_need_is_left(loom, changed):
    """Its operators are not known here, so nobody can tell which of their results it uses."""
    definition_of_two = definition("another", size=1)
    definition_of_two["graph"]["nodes"][2]["operator"] = "toy.unknown"
    loom.save_pipeline(definition_of_two)
    assert loom.prune(grace_us=0, dry_run=True).results == 1, "that of `small`, which nobody needs"
    loom._operators = Announced([spec for spec in OPERATORS if spec.id != "toy.size"])
    assert loom.prune(grace_us=0).results == 0, "now it is not known what photos needs of toy.size"
