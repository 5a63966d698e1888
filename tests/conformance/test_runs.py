from __future__ import annotations

from uuid import uuid4

import pytest
from ledgers import (
    BROKEN,
    COMPUTED,
    HOST,
    PLAN,
    STEPS,
    WORKER,
    artifact,
    begin,
    closing,
    definition,
    digest,
    done,
    failed,
    found,
    opening,
    report,
)

from loom.errors import LoomError
from loom.graph.diagnostics import DefinitionError
from loom.model import Branch, Origin, Outcome, Reason, RunState, State, asset_uuid
from loom.steering import AssetQuery, Place, Selection

STORED = Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.PASS)
STORED_FAILURE = Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.ERROR)
FILTERED = Outcome(State.SKIPPED, Reason.FILTERED)


def test_a_run_from_its_opening_to_its_end(loom):
    loom.save_pipeline(definition())
    made = opening(paths=(b"/data", b"/\xff"))
    loom.open_run(made)
    loom.open_run(made)
    shown = loom.run(made.uuid)
    assert (shown.pipeline, shown.version, shown.state, shown.finished) == ("photos", 1, RunState.RUNNING, None)
    assert (shown.started, shown.paths, shown.dry_run) == ("1970-01-01T00:00:01.000Z", ["/data", "/\ufffd"], False)
    assert set(shown.nodes) == {"sha256", "small"}
    for _ in range(2):
        loom.finish_run(closing(made.uuid, RunState.PARTIAL))
    ended = loom.run(made.uuid)
    assert (ended.state, ended.finished, ended.bytes) == (RunState.PARTIAL, "1970-01-01T00:00:02.000Z", 7)
    assert (ended.assets.seen, ended.nodes["sha256"].computed, ended.nodes["small"].failed) == (3, 3, 1)
    assert len(loom.runs().items) == 1


def test_a_run_may_bring_a_definition_that_is_not_stored(loom):
    made = opening("own", version=0, definition=definition("own", description="not stored", enabled=True))
    for _ in range(2):
        loom.open_run(made)
    loom.report(made.uuid, [report("a", results=[failed(0)], outcomes=[BROKEN, COMPUTED])])
    loom.finish_run(closing(made.uuid, RunState.PARTIAL))
    shown = loom.run(made.uuid)
    assert (shown.pipeline, shown.version, shown.state) == ("own", 1, RunState.PARTIAL)
    assert [run.uuid for run in loom.runs(pipeline="own").items] == [made.uuid]
    assert [f.newest.run for f in loom.failures(Selection(run=made.uuid))] == [made.uuid]
    assert [r.pipeline for r in loom.asset_results(asset_uuid(digest("a")))] == ["own"]
    assert loom.pipeline("own", 1).definition == definition("own", description="not stored")
    assert loom.pipelines().items == [], "it is kept with the run, not listed"
    assert loom.save_pipeline(definition("own")).version == 2


def test_a_definition_that_a_run_brings_is_checked(loom):
    broken = definition()
    broken["graph"]["edges"].append({"from": {"node": "nowhere"}, "to": {"node": "small"}})
    broken["graph"]["nodes"][2]["config"] = {"size": "big"}
    with pytest.raises(DefinitionError) as refused:
        loom.open_run(opening(version=0, definition=broken))
    assert len([d for d in refused.value.diagnostics if d.level == "error"]) == 2
    assert loom.runs().items == []


def test_what_cannot_be_opened_or_found(loom):
    loom.save_pipeline(definition())
    for call, code in (
        (lambda: loom.open_run(opening(version=2)), "NOT_FOUND"),
        (lambda: loom.open_run(opening("other")), "NOT_FOUND"),
        (lambda: loom.open_run(opening(dry_run=True)), "REQUEST_INVALID"),
        (lambda: loom.open_run(opening(version=0)), "REQUEST_INVALID"),
        (lambda: loom.open_run(opening(definition=definition())), "REQUEST_INVALID"),
        (lambda: loom.open_run(opening("other", version=0, definition=definition())), "REQUEST_INVALID"),
        (lambda: loom.finish_run(closing(uuid4())), "NOT_FOUND"),
        (lambda: loom.run(uuid4()), "NOT_FOUND"),
        (lambda: loom.run_results(uuid4()), "NOT_FOUND"),
        (lambda: loom.failures(Selection(run=uuid4())), "NOT_FOUND"),
        (lambda: loom.forget(Selection(asset=uuid4())), "NOT_FOUND"),
    ):
        with pytest.raises(LoomError) as refused:
            call()
        assert refused.value.code == code


def test_runs_come_in_pages_the_newest_first(loom):
    made = [begin(loom) for _ in range(3)]
    loom.save_pipeline(definition("other"))
    other = opening("other")
    loom.open_run(other)
    first = loom.runs(limit=2)
    rest = loom.runs(limit=2, cursor=first.next)
    assert [run.uuid for run in (*first.items, *rest.items)] == [other.uuid, *reversed(made)]
    assert rest.next is None
    assert [run.uuid for run in loom.runs(pipeline="other").items] == [other.uuid]


def test_outcomes_of_a_run_are_shown_with_their_results(loom):
    new, ref = artifact(b"tiny")
    loom.put_artifacts([new])
    run = begin(loom)
    loom.report(run, [
        report("a", results=[done(0, b'{"sha256":"00"}'), done(1, artifacts=(ref,))], outcomes=[COMPUTED, COMPUTED]),
        report("b", results=[failed(0, "FILE_EMPTY", "nothing in it")], outcomes=[BROKEN, FILTERED]),
    ])  # fmt: skip
    by_node = {(r.asset, r.node): r for r in loom.run_results(run).items}
    a, b = asset_uuid(digest("a")), asset_uuid(digest("b"))
    assert len(by_node) == 4
    good = by_node[a, "sha256"]
    assert (good.outputs, good.state, good.origin, good.verdict) == (
        {"sha256": "00"}, State.COMPLETED, Origin.COMPUTED, Branch.PASS
    )  # fmt: skip
    assert (good.operator, good.operator_version, good.duration_ms) == ("hash.sha256", "1", 1.5)
    assert (good.run, good.pipeline, good.signature) == (run, "photos", STEPS[0].signature.hex())
    assert good.produced_by is not None
    assert (good.produced_by.worker, good.produced_by.versions) == (WORKER.name, WORKER.versions)
    assert [(x.name, x.digest) for x in by_node[a, "small"].artifacts] == [("thumbnail", ref.digest.hex())]
    assert by_node[b, "sha256"].error is not None
    assert (by_node[b, "sha256"].error.code, by_node[b, "sha256"].error.message) == ("FILE_EMPTY", "nothing in it")
    skipped = by_node[b, "small"]
    assert (skipped.state, skipped.reason, skipped.outputs, skipped.finished) == (
        State.SKIPPED, Reason.FILTERED, {}, None
    )  # fmt: skip


def test_a_skipped_node_shows_no_result_of_another_run(loom):
    loom.report(begin(loom), [report("a", results=[done(1, b'{"n":1}')], outcomes=[COMPUTED, COMPUTED])])
    run = begin(loom)
    loom.report(run, [report("a", outcomes=[FILTERED, FILTERED])])
    assert [(r.outputs, r.produced_by) for r in loom.run_results(run).items] == [({}, None), ({}, None)]


def test_outcomes_are_filtered_and_come_in_pages(loom):
    run = begin(loom)
    loom.report(run, [report(str(n), results=[failed(0)] if n % 3 == 0 else [done(0)],
                             outcomes=[BROKEN if n % 3 == 0 else COMPUTED, COMPUTED]) for n in range(10)])  # fmt: skip
    pages, cursor = [], None
    while True:
        page = loom.run_results(run, limit=3, cursor=cursor)
        pages.append([(r.asset, r.node) for r in page.items])
        cursor = page.next
        if cursor is None:
            break
    assert [len(page) for page in pages] == [3] * 6 + [2]
    assert len({row for page in pages for row in page}) == 20
    assert len(loom.run_results(run, state=State.FAILED).items) == 4
    assert len(loom.run_results(run, node="small").items) == 10
    assert loom.run_results(run, state=State.FAILED, node="small").items == []
    assert loom.run_results(run, node="none").items == []
    two = loom.run_results(run, state=State.FAILED, limit=2)
    rest = loom.run_results(run, state=State.FAILED, limit=2, cursor=two.next)
    assert len({r.asset for r in (*two.items, *rest.items)}) == 4
    assert rest.next is None


def test_one_plan_may_name_its_nodes_differently(loom):
    renamed = tuple(step._replace(node=f"other-{step.node}") for step in STEPS)
    first, second = begin(loom), begin(loom, steps=renamed)
    for run in (first, second):
        loom.report(run, [report("a", results=[done(0)], outcomes=[COMPUTED, COMPUTED])])
    assert [r.node for r in loom.run_results(second).items] == ["other-sha256", "other-small"]
    assert [r.node for r in loom.run_results(first).items] == ["sha256", "small"]


def _fail_some(loom):
    run = begin(loom)
    loom.report(run, [
        report("a", found(b"/data/a"), results=[failed(0, "FILE_DAMAGED", "cut at 1")], outcomes=[BROKEN, COMPUTED],
               settled=True),
        report("b", found(b"/data/b"), results=[failed(0, "FILE_EMPTY")], outcomes=[BROKEN, COMPUTED], settled=True),
    ])  # fmt: skip
    loom.report(run, [
        report("c", found(b"/data/c"), results=[failed(0, "FILE_DAMAGED", "cut at 2")], outcomes=[BROKEN, COMPUTED],
               settled=True),
    ])  # fmt: skip
    return run


def test_failures_are_grouped_by_cause_the_most_frequent_first(loom):
    run = _fail_some(loom)
    damaged, empty = loom.failures()
    assert (damaged.code, damaged.node, damaged.operator, damaged.count) == ("FILE_DAMAGED", "sha256", "hash.sha256", 2)
    assert (damaged.message, damaged.newest.path, damaged.newest.run) == ("cut at 2", "/data/c", run)
    assert damaged.newest.asset == asset_uuid(digest("c"))
    assert (empty.code, empty.count, empty.retryable) == ("FILE_EMPTY", 1, False)
    assert loom.failures(Selection(code="FILE_EMPTY")) == [empty]
    assert loom.failures(Selection(node="small")) == []
    assert [f.count for f in loom.failures(Selection(asset=asset_uuid(digest("a"))))] == [1]


def test_failures_with_unlike_messages_have_different_causes_by_which_they_are_chosen(loom):
    run = _fail_some(loom)
    said = {"d": "no decoder for '/data/d.jpg'", "e": "no decoder for '/data/e.jpg'", "f": "the header is missing"}
    loom.report(run, [
        report(name, found(b"/data/" + name.encode()), results=[failed(0, "FILE_DAMAGED", message)],
               outcomes=[BROKEN, COMPUTED])
        for name, message in said.items()
    ])  # fmt: skip
    damaged = loom.failures(Selection(code="FILE_DAMAGED"))
    assert [(group.count, group.message) for group in damaged][2:] == [(1, said["f"])]
    assert {group.count for group in damaged[:2]} == {2}
    assert loom.failures(Selection(run=run, code="FILE_DAMAGED")) == damaged
    decoder = next(group for group in damaged if group.message.startswith("no decoder"))
    for selection in (Selection(cause=decoder.cause), Selection(run=run, cause=decoder.cause)):
        assert loom.failures(selection) == [decoder]
        assert sorted(place.path for place in loom.failed_places(selection)) == [b"/data/d", b"/data/e"]
    errors = {shown.error.message: shown.error.cause for shown in loom.run_results(run, state=State.FAILED).items}
    assert errors[said["d"]] == errors[said["e"]] == decoder.cause != errors[said["f"]]
    assert loom.set_aside(Selection(cause=damaged[2].cause)) == 1
    assert len(loom.forget(Selection(run=run, cause=decoder.cause))) == 2
    assert [group.count for group in loom.failures(Selection(code="FILE_DAMAGED"))] == [2]
    assert loom.failures(Selection(cause="none")) == loom.failures(Selection(run=run, cause="none")) == []


def test_a_failure_that_an_error_edge_handles_is_shown_as_handled(loom):
    _fail_some(loom)
    assert {f.handled for f in loom.failures()} == {0}
    handling = definition(description="takes care")
    handling["graph"]["edges"][1]["branch"] = "ERROR"
    made = opening(version=loom.save_pipeline(handling).version)
    loom.open_run(made)
    run = made.uuid
    loom.report(run, [
        report("d", found(b"/data/d"), results=[failed(0, "FILE_DAMAGED", "cut at 3"), failed(1, "FILE_EMPTY")],
               outcomes=[BROKEN, BROKEN]),
    ])  # fmt: skip
    assert {(f.code, f.node): (f.count, f.handled) for f in loom.failures()} == {
        ("FILE_DAMAGED", "sha256"): (3, 1), ("FILE_EMPTY", "sha256"): (1, 0), ("FILE_EMPTY", "small"): (1, 0),
    }  # fmt: skip
    assert {f.code: f.handled for f in loom.failures(Selection(run=run))} == {"FILE_DAMAGED": 1, "FILE_EMPTY": 0}
    assert {r.node: r.handled for r in loom.run_results(run).items} == {"sha256": True, "small": False}
    assert {r.node: r.handled for r in loom.asset_results(asset_uuid(digest("d")))} == {"sha256": True, "small": False}


def test_a_stored_failure_has_no_verdict(loom):
    _fail_some(loom)
    run = begin(loom)
    loom.report(run, [report("a", outcomes=[STORED_FAILURE, STORED])])
    shown = loom.run_results(run, node="sha256").items[0]
    assert (shown.state, shown.reason, shown.verdict) == (State.SKIPPED, Reason.STORED, None)
    assert shown.error is not None


def test_failures_of_a_run_count_stored_ones_too(loom):
    _fail_some(loom)
    run = begin(loom)
    loom.report(run, [report("a", outcomes=[STORED_FAILURE, STORED]), report("b", outcomes=[STORED, STORED])])
    (group,) = loom.failures(Selection(run=run))
    assert (group.code, group.count, group.node, group.newest.run) == ("FILE_DAMAGED", 1, "sha256", run)
    assert loom.failures(Selection(run=run, code="FILE_EMPTY")) == []
    assert loom.failures(Selection(run=run, node="small")) == []


def test_forgotten_failures_are_tried_again(loom):
    run = _fail_some(loom)
    loom.report(run, [report("a", found(b"/copy/a"))])
    places = loom.failed_places(Selection(code="FILE_DAMAGED"))
    assert [f.code for f in loom.failures()] == ["FILE_DAMAGED", "FILE_EMPTY"], "nothing is forgotten by asking"
    assert loom.forget(Selection(code="FILE_DAMAGED")) == places
    assert sorted(places) == [Place("photos", HOST, b"/copy/a", 1), Place("photos", HOST, b"/data/c", 1)]
    assert [f.code for f in loom.failures()] == ["FILE_EMPTY"]
    assert [f.code for f in loom.failures(Selection(run=run))] == ["FILE_EMPTY"]
    settled = {f.name: f.settled for f in loom.known_files(HOST, [b"/data"], PLAN)[0]}
    assert settled == {b"a": False, b"b": True, b"c": False}
    assert loom.lookup([digest("a")], [STEPS[0].signature])[0].results == ()
    assert loom.forget(Selection(code="FILE_DAMAGED")) == []


def test_failures_of_one_run_are_forgotten_alone(loom):
    _fail_some(loom)
    run = begin(loom)
    loom.report(run, [report("a", outcomes=[STORED_FAILURE, STORED])])
    assert [place.path for place in loom.forget(Selection(run=run))] == [b"/data/a"]
    assert sum(group.count for group in loom.failures()) == 2


def test_what_no_database_can_hold_is_nowhere(loom):
    begin(loom)
    for odd in ("photos\0", "\udcff"):
        assert loom.runs(pipeline=odd).items == []
        assert loom.failures(Selection(code=odd)) == loom.failures(Selection(node=odd)) == []
        assert loom.assets(AssetQuery(camera=odd, collection=odd)).items == []
        for ask in (loom.pipeline, loom.delete_pipeline, lambda name: loom.pipeline(name, 1)):
            with pytest.raises(LoomError) as refused:
                ask(odd)
            assert refused.value.code == "NOT_FOUND"
