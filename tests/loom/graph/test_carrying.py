"""Whatever graph of ports there is, a plan keeps its promises."""

from __future__ import annotations

import json
from typing import Any

from faceoperators import FILE_SPECS, announced
from faceoperators import SPECS as FACE_SPECS
from hypothesis import given
from hypothesis import strategies as st

from loom.graph.announced import Announced
from loom.graph.compiler import compile_definition
from loom.graph.plan import Plan, Step
from loom.graph.ports import buckets, fit, takes_asset, takes_files
from loom.graph.specs import OperatorSpec

SPECS = [*FACE_SPECS, *FILE_SPECS]
OPERATORS = {spec.id: spec for spec in SPECS if not spec.is_source}
GIVEN = {
    spec.id: {port.content_type for port in spec.outputs if port.passes is None}
    for spec in SPECS
}  # fmt: skip
KEYS = ["faces", "count", "vector", "width", "bucket", "nothing"]
BUCKETS = [[], [{"name": "small", "when": "media.size < 1"}], [{"name": "b"}, {"name": "c"}, {"name": "b"}]]
PORTS = {"": ["out"], "small": ["out", "small", "other"], "b": ["out", "b", "c", "other"]}


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """Graphs without cycles of up to nine nodes with ports, buckets and named values, most of them right."""
    nodes: list[dict[str, Any]] = [{"id": "n0", "operator": "source.files"}]
    edges: list[dict[str, Any]] = []
    came: list[set[str]] = [{"media/*"}]
    for number in range(1, draw(st.integers(2, 8))):
        source = number - 1 - draw(st.sampled_from([0, 0, 0, 1, 2])) % number
        operator = draw(st.sampled_from(_fitting(came[source]) if draw(st.integers(0, 9)) else sorted(OPERATORS)))
        nodes.append(draw(_nodes(number, operator)))
        others = draw(st.lists(st.integers(0, number - 1), max_size=2)) if not draw(st.integers(0, 3)) else []
        edges.extend(draw(_edges(nodes, one, number)) for one in dict.fromkeys([source, *others]))
        passes = any(port.passes for port in OPERATORS[operator].outputs)
        came.append(GIVEN[operator] | came[source] if passes else GIVEN[operator])
    return {"name": "p", "graph": {"nodes": nodes, "edges": edges}}


def _fitting(given: set[str]) -> list[str]:
    """Those that take such values, several times, and those that take the asset."""
    wanted = {id_: spec.inputs[0].content_type for id_, spec in OPERATORS.items()}
    takers = [id_ for id_, one in wanted.items() if one != "media/*" and any(fit(one, other) for other in given)]
    return takers * 4 + ["face.find", "face.find"] + [id_ for id_, one in wanted.items() if one == "media/*"]


@st.composite
def _nodes(draw: st.DrawFn, number: int, operator: str) -> dict[str, Any]:
    node: dict[str, Any] = {"id": f"n{number}", "operator": operator}
    if operator == "filter.bucket":
        node["config"] = {"buckets": draw(st.sampled_from(BUCKETS))}
    if operator == "read.value" and not draw(st.integers(0, 3)):
        values = st.builds("n{}.{}".format, st.integers(0, number), st.sampled_from(KEYS))
        node["config"] = {"values": draw(st.lists(values, max_size=3))}
    return node


@st.composite
def _edges(draw: st.DrawFn, nodes: list[dict[str, Any]], source: int, target: int) -> dict[str, Any]:
    made = nodes[source].get("config", {}).get("buckets")
    ports = PORTS[made[0]["name"] if made else ""] if draw(st.integers(0, 19)) else ["small"]
    is_filter = nodes[source]["operator"].startswith(("filter", "face.good"))
    branch = draw(st.sampled_from([None, "PASS", "FAIL", "ERROR"] if is_filter else [None]))
    edge = {"from": {"node": f"n{source}", "port": draw(st.sampled_from(ports))}, "to": {"node": f"n{target}"}}
    return edge | ({} if branch is None else {"branch": branch})


@given(document=definitions())
def test_a_plan_gives_every_step_what_its_ports_promise(document: dict[str, Any]) -> None:
    operators = announced(*FILE_SPECS)
    compiled = compile_definition(document, operators)
    json.dumps([d.message for d in compiled.diagnostics]).encode()
    assert (compiled.plan is None) is any(d.level == "error" for d in compiled.diagnostics)
    if compiled.plan is not None:
        for step in compiled.plan.steps:
            _check(step, compiled.plan, operators)


def _check(step: Step, plan: Plan, operators: Announced) -> None:
    assert all(index < step.index for index in step.reads.values())
    for edge in step.inbound:
        above = plan.steps[edge.upstream] if edge.upstream >= 0 else None
        assert edge.bucket is None or (above and edge.bucket in buckets(_spec(operators, above), above.config))
    port = _spec(operators, step).inputs[0]
    intake = step.intake
    if intake is None:
        assert takes_asset(port) or not port.required
        return
    assert intake.many is (port.cardinality == "many")
    has_lists = any(feed.depth for feed in intake.feeds)
    takes_one_each = takes_files(port) and intake.many
    assert takes_one_each or (has_lists if intake.many else intake.fans_out is has_lists)
    for feed in intake.feeds:
        assert feed.upstream in step.reads.values()
        giver = plan.steps[feed.upstream]
        values = {value.key for value in _spec(operators, giver).values}
        assert feed.is_artifact is takes_files(port)
        assert feed.is_artifact or feed.key is None or feed.key in values
        for way in feed.ways:
            decider = plan.steps[way.step].intake
            assert decider is not None
            assert decider.fans_out
            assert way.step in step.reads.values()
        assert feed.depth >= (giver.intake is not None and giver.intake.fans_out)


def _spec(operators: Announced, step: Step) -> OperatorSpec:
    spec = operators.spec(step.operator)
    assert spec is not None
    return spec


@given(document=definitions(), data=st.data())
def test_the_order_in_which_a_definition_is_written_changes_nothing(
    document: dict[str, Any], data: st.DataObject
) -> None:
    graph = document["graph"]
    other = {"nodes": data.draw(st.permutations(graph["nodes"])), "edges": data.draw(st.permutations(graph["edges"]))}
    one, two = (compile_definition({"name": "p", "graph": g}, announced(*FILE_SPECS)) for g in (graph, other))
    assert (one.plan is None) is (two.plan is None)
    assert sorted((d.code, d.node or "") for d in one.diagnostics if d.edge is None) == sorted(
        (d.code, d.node or "") for d in two.diagnostics if d.edge is None
    )
    if one.plan is not None and two.plan is not None:
        assert one.plan.digest == two.plan.digest
        for step in one.plan.steps:
            same = two.plan.step(step.node)
            assert step.signature == same.signature
            assert _feeding(one.plan, step) == _feeding(two.plan, same)


def _feeding(plan: Plan, step: Step) -> list[str]:
    return [] if step.intake is None else [plan.steps[feed.upstream].node for feed in step.intake.feeds]
