"""A config that names nodes: exactly those are read, and they must stand upstream."""

from typing import Any

from cortex.catalogue import load
from loom.graph.compiler import compile_definition


def wide(expression: str, *, sha256: bool = True) -> dict[str, Any]:
    nodes = [
        {"id": "files", "operator": "source.filesystem"},
        {"id": "meta", "operator": "media.metadata"},
        {"id": "sum", "operator": "hash.sha256" if sha256 else "hash.md5"},
        {"id": "wide", "operator": "filter.expression", "config": {"expression": expression}},
    ]
    ends = [("files", "meta"), ("meta", "sum"), ("sum", "wide")]
    edges = [{"from": {"node": a}, "to": {"node": b}} for a, b in ends]
    return {"schema_version": 1, "name": "wide", "graph": {"nodes": nodes, "edges": edges}}


def test_exactly_the_nodes_of_the_expression_are_read() -> None:
    plan = compile_definition(wide("meta.width >= 100"), load()).plan
    other = compile_definition(wide("meta.width >= 100", sha256=False), load()).plan
    assert plan is not None
    assert other is not None
    assert set(plan.step("wide").reads) == {"meta"}
    assert plan.step("wide").signature == other.step("wide").signature


def test_a_node_that_is_not_upstream_is_a_problem() -> None:
    compiled = compile_definition(wide("nope.x == 1 or media.size > 1kB"), load())
    assert [(d.code, d.node) for d in compiled.diagnostics] == [("READ_UNKNOWN", "wide")]
