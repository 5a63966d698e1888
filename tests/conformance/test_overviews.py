"""What is read at a glance: the grid of a run, the forecast of one, facets, and what became of files."""

from __future__ import annotations

from uuid import uuid4

import pytest
from ledgers import (
    BROKEN,
    COMPUTED,
    HOST,
    begin,
    definition,
    digest,
    found,
    opening,
    report,
    toy_operators,
)
from msgspec.structs import replace

from loom.errors import LoomError
from loom.graph.compiler import compile_definition
from loom.graph.diagnostics import DefinitionError
from loom.model import Branch, Kind, Origin, Outcome, Reason, State, StepRef, StoredResult, asset_uuid
from loom.steering import AssetQuery

FILTERED = Outcome(State.SKIPPED, Reason.FILTERED)
STORED = Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.PASS)
STORED_FAILURE = Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.ERROR)
CACHED = Outcome(State.COMPLETED, None, Origin.CACHED, Branch.PASS)
SLOW = Outcome(State.COMPLETED, None, Origin.COMPUTED, Branch.PASS, 2_000_000)
ANYTHING = AssetQuery()


def test_a_grid_has_a_letter_for_each_node_in_the_order_in_which_assets_were_walked(loom):
    loom.report(begin(loom), [report("z"), report("a")])
    run = begin(loom)
    walked = [
        ("m", [COMPUTED, CACHED]),
        ("z", [STORED, FILTERED]),
        ("b", [BROKEN, STORED_FAILURE]),
        ("a", [COMPUTED, FILTERED]),
    ]
    for name, outcomes in walked[:2], walked[2:]:
        loom.report(run, [report(n, found(b"/data/" + n.encode()), outcomes=o) for n, o in (name, outcomes)])
    loom.report(run, [report("z", outcomes=[STORED, STORED])])
    grid = loom.run_grid(run)
    assert (grid.run, grid.total, grid.offset, grid.nodes) == (run, 4, 0, ["sha256", "small"])
    assert grid.rows == [
        (asset_uuid(digest(name)), name, letters)
        for name, letters in (("m", "CS"), ("z", "SS"), ("b", "FB"), ("a", "CK"))
    ]
    assert loom.run_grid(run, offset=1, limit=2).rows == grid.rows[1:3]
    assert loom.run_grid(run, offset=3, limit=5).rows == grid.rows[3:]
    assert loom.run_grid(run, offset=9).rows == []
    assert loom.run_grid(begin(loom)).total == 0
    with pytest.raises(LoomError):
        loom.run_grid(uuid4())


def planned(size=1, **more):
    """An opening under the very signatures that the definition is compiled to."""
    plan = compile_definition(definition(size=size), toy_operators()).plan
    steps = tuple(step.ref for step in plan.steps)
    return opening(plan=plan.digest, steps=steps, **more), steps


def result(step: StepRef):
    return StoredResult(step.signature, State.COMPLETED, Branch.PASS, b"{}", duration_us=5_000_000)


def walk(loom, size=1, names=(), upto=2, settled=True, outcome=SLOW, **more):
    """Computes the first `upto` nodes for these assets."""
    version = loom.save_pipeline(definition(size=size)).version
    made, steps = planned(size, version=version)
    loom.open_run(made)
    loom.report(made.uuid, [
        report(name, found(b"/data/" + name.encode()), results=[result(step) for step in steps[:upto]],
               outcomes=[outcome] * upto + [FILTERED] * (2 - upto), settled=settled, **more)
        for name in names
    ])  # fmt: skip
    return made.uuid


def counts(loom, query=ANYTHING):
    forecast = loom.forecast("photos", query)
    return forecast.assets, {node.node: (node.stored, node.missing, node.stale) for node in forecast.nodes}


def test_a_forecast_tells_what_is_stored_missing_and_stale(loom):
    walk(loom, names=["a", "b", "c"])
    assert counts(loom) == (3, {"sha256": (3, 0, 0), "small": (3, 0, 0)})
    assert loom.forecast("photos", ANYTHING).seconds == 0
    loom.report(begin(loom), [report("new", found(b"/data/new"))])
    assert counts(loom) == (4, {"sha256": (3, 1, 0), "small": (3, 1, 0)})
    loom.save_pipeline(definition(size=2))
    forecast = loom.forecast("photos", ANYTHING)
    assert counts(loom)[1] == {"sha256": (3, 1, 0), "small": (0, 1, 3)}
    assert [node.seconds for node in forecast.nodes] == [2.0, 8.0]
    assert (forecast.seconds, forecast.pipeline, forecast.version) == (10.0, "photos", 2)
    walk(loom, size=2, names=["a"])
    assert counts(loom)[1]["small"] == (1, 1, 2)


def test_a_definition_that_is_not_stored_is_compared_with_what_is(loom):
    walk(loom, names=["a", "b"])
    new = loom.forecast("photos", ANYTHING, definition(size=2))
    assert {node.node: (node.stored, node.missing, node.stale) for node in new.nodes} == {
        "sha256": (2, 0, 0), "small": (0, 0, 2)
    }  # fmt: skip
    assert (new.version, new.assets, loom.pipeline("photos").version) == (0, 2, 1)
    other = loom.forecast("other", AssetQuery(path="/data/a"), definition("other", size=2))
    assert [(node.stored, node.missing) for node in other.nodes] == [(1, 0), (0, 1)]
    assert len(loom.pipelines().items) == 1
    with pytest.raises(DefinitionError):
        loom.forecast("photos", ANYTHING, {"name": "photos"})


def test_where_no_run_tells_results_tell_how_long_a_node_takes(loom):
    walk(loom, names=["a"], outcome=STORED)
    loom.report(begin(loom), [report("new", found(b"/data/new"))])
    assert loom.forecast("photos", ANYTHING).seconds == 10.0


def test_a_forecast_is_about_present_assets_that_fit(loom):
    walk(loom, names=["a", "b"], upto=1, settled=False)
    walk(loom, names=["film"], upto=1, settled=False, kind=Kind.VIDEO)
    assert counts(loom)[1]["small"] == (0, 3, 0)
    assert counts(loom, AssetQuery(kind=Kind.VIDEO)) == (1, {"sha256": (1, 0, 0), "small": (0, 1, 0)})
    assert counts(loom, AssetQuery(q="A"))[0] == 1
    assert counts(loom, AssetQuery(path="/data/f"))[0] == 1
    loom.mark_missing(HOST, [(b"/data", b"a")])
    assert counts(loom)[0] == 2
    assert counts(loom, AssetQuery(path="/none")) == (0, {"sha256": (0, 0, 0), "small": (0, 0, 0)})


def test_what_is_settled_lacks_nothing_and_what_may_be_tried_again_does(loom):
    walk(loom, names=["rejected"], upto=1)
    assert counts(loom)[1]["small"] == (0, 0, 0), "a branch was not taken"
    made, steps = planned(version=1)
    loom.open_run(made)
    broken = [StoredResult(steps[1].signature, State.FAILED, None, b"{}", (), code, "", 10)
              for code in ("READ_FAILED", "FILE_DAMAGED")]  # fmt: skip
    for name, one in zip(("again", "never"), broken, strict=True):
        loom.report(made.uuid, [report(name, found(b"/data/" + name.encode()), results=[result(steps[0]), one],
                                       outcomes=[COMPUTED, BROKEN], settled=name == "never")])  # fmt: skip
    assert counts(loom)[1] == {"sha256": (3, 0, 0), "small": (1, 1, 0)}


def test_a_forecast_of_what_cannot_be_compiled(loom):
    wrong = definition()
    wrong["graph"]["nodes"][2]["operator"] = "strange.operator"
    loom.save_pipeline(wrong)
    with pytest.raises(DefinitionError):
        loom.forecast("photos", ANYTHING)
    with pytest.raises(LoomError) as refused:
        loom.forecast("none", ANYTHING)
    assert refused.value.code == "NOT_FOUND"


def test_what_assets_took_is_told_by_kind(loom):
    assert loom.costs("photos") == []
    walk(loom, names=["a", "b", "c"])
    walk(loom, names=["film"], kind=Kind.VIDEO, outcome=replace(SLOW, duration_us=9_000_000), size=2)
    walk(loom, names=["d"], outcome=STORED)
    told = {cost.kind: (cost.assets, cost.seconds, cost.bytes) for cost in loom.costs("photos")}
    size = report("a").size
    assert told == {Kind.IMAGE: (3, 4.0, size), Kind.VIDEO: (1, 18.0, size)}, "nothing was computed for the last"


METADATA = (StepRef("metadata", "media.metadata", "1", digest("step metadata")),)


def describe(loom, name, outputs: bytes, **more):
    version = loom.save_pipeline(definition()).version
    made = opening(version=version, steps=METADATA)
    loom.open_run(made)
    described = [StoredResult(METADATA[0].signature, State.COMPLETED, Branch.PASS, outputs)]
    loom.report(made.uuid, [report(name, found(b"/data/" + name.encode()), results=described, **more)])


def test_facets_have_the_totals_of_the_lists_that_they_lead_to(loom):
    canon = b'{"camera_make":"Canon","camera_model":"Canon EOS 5D","captured_at":"2019-05-01T10:00:00"}'
    nikon = b'{"camera_make":"NIKON ","camera_model":" D70","captured_at":"2005-01-01T00:00:00+02:00"}'
    describe(loom, "a", canon)
    describe(loom, "b", canon)
    describe(loom, "c", nikon)
    describe(loom, "film", b'{"captured_at":"2019-01-01"}', kind=Kind.VIDEO)
    describe(loom, "odd", b'{"captured_at":"soon","camera_model":5}', kind=Kind.OTHER)
    facets = loom.facets(ANYTHING)
    assert facets.kind == {"image": 3, "other": 1, "video": 1}
    assert facets.camera == {"Canon EOS 5D": 2, "NIKON D70": 1}
    assert facets.year == {"2019": 3, "2005": 1}
    assert facets.total == 5
    chosen = loom.facets(AssetQuery(year=2019, kind=Kind.IMAGE))
    assert (chosen.total, chosen.camera) == (2, {"Canon EOS 5D": 2})
    assert chosen.kind == {"image": 2, "video": 1}, "the other kinds of that year"
    assert chosen.year == {"2019": 2, "2005": 1}
    for query in (AssetQuery(camera="Canon EOS 5D"), AssetQuery(year=2019), AssetQuery(q="a"), AssetQuery(path="/no")):
        assert loom.facets(query).total == len(loom.assets(query).items)
    describe(loom, "a", nikon)
    assert loom.facets(ANYTHING).camera == {"Canon EOS 5D": 1, "NIKON D70": 2}


def history(loom, name):
    """Of each place: its state and what became of the asset there."""
    shown = loom.asset_locations(asset_uuid(digest(name)))
    return {one.path: (str(one.state), [(c.change, c.path) for c in one.history]) for one in shown}


def lies(loom, run, content, path):
    loom.report(run, [report(content, found(path))])


def test_what_becomes_of_a_file_is_remembered(loom):
    run = begin(loom)
    lies(loom, run, "a", b"/data/x")
    lies(loom, run, "a", b"/data/x")
    assert history(loom, "a") == {"/data/x": ("present", [("found", "/data/x")])}
    for _ in range(2):
        loom.mark_missing(HOST, [(b"/data", b"x")])
    lies(loom, run, "a", b"/data/x")
    told = [("found", "/data/x"), ("gone", "/data/x"), ("returned", "/data/x")]
    assert history(loom, "a") == {"/data/x": ("present", told)}
    times = [change.time for change in loom.asset_locations(asset_uuid(digest("a")))[0].history]
    assert times == sorted(times)
    loom.mark_unreachable(HOST, b"/data")
    lies(loom, run, "a", b"/data/x")
    assert history(loom, "a") == {"/data/x": ("present", told)}, "it was only out of reach"


@pytest.mark.parametrize("gone_first", [False, True])
def test_a_file_that_was_moved(loom, gone_first):
    run = begin(loom)
    lies(loom, run, "a", b"/data/x")
    steps = [lambda: lies(loom, run, "a", b"/new/y"), lambda: loom.mark_missing(HOST, [(b"/data", b"x")])]
    for step in reversed(steps) if gone_first else steps:
        step()
    assert history(loom, "a") == {
        "/data/x": ("missing", [("found", "/data/x"), ("moved", "/new/y")]),
        "/new/y": ("present", [("found", "/new/y")]),
    }


def test_a_file_that_was_replaced_and_came_back(loom):
    run = begin(loom)
    lies(loom, run, "a", b"/data/x")
    lies(loom, run, "b", b"/data/x")
    assert history(loom, "a") == {"/data/x": ("missing", [("found", "/data/x"), ("replaced", "/data/x")])}
    assert history(loom, "b") == {"/data/x": ("present", [("found", "/data/x")])}
    lies(loom, run, "a", b"/data/x")
    told = [(one, "/data/x") for one in ("found", "replaced", "returned")]
    assert history(loom, "a") == {"/data/x": ("present", told)}
    assert history(loom, "b") == {"/data/x": ("missing", [("found", "/data/x"), ("replaced", "/data/x")])}
    assert len(loom.asset(asset_uuid(digest("b"))).locations) == 0


def test_a_copy_that_was_there_all_along_is_no_move(loom):
    run = begin(loom)
    loom.report(run, [report("a", found(b"/data/x"), found(b"/data/y"))])
    loom.mark_missing(HOST, [(b"/data", b"x")])
    assert history(loom, "a")["/data/x"] == ("missing", [("found", "/data/x"), ("gone", "/data/x")])
