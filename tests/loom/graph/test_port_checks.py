from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from faceoperators import announced

from loom.graph.compiler import Compiled, compile_definition
from loom.graph.plan import Feed

BEGIN = {"files": "source.files", "find": "face.find"}


@pytest.fixture
def faced(make: Callable[..., Any]) -> Callable[..., Compiled]:
    return lambda nodes, edges, **fields: compile_definition(make(nodes, edges, **fields), announced())


def told(compiled: Compiled) -> list[tuple[str, str | None, int | None]]:
    return [(d.code, d.node, d.edge) for d in compiled.diagnostics]


@pytest.mark.parametrize(
    ("nodes", "edges", "expected"),
    [
        (BEGIN | {"vector": "face.vector"}, "files>find find>vector", []),
        (BEGIN | {"vector": "face.vector"}, "files>find files>vector", [("PORT_MISMATCH", "vector", 1)]),
        (BEGIN | {"eye": "face.eye"}, "files>find find>eye", [("PORT_MISMATCH", "eye", 1)]),
        (BEGIN | {"read": "struct.read"}, "files>find find>read", [("PORT_MISMATCH", "read", 1)]),
        (BEGIN | {"image": "image.only", "read": "struct.read"}, "files>find find>image image>read", []),
        (BEGIN | {"cluster": "face.cluster"}, "files>find find>cluster", [("PORT_MISMATCH", "cluster", 1)]),
        (BEGIN | {"vector": "face.vector", "cluster": "face.cluster"}, "files>find find>vector vector>cluster", []),
        (
            {"files": "source.files", "main": "face.main", "vector": "face.vector", "cluster": "face.cluster"},
            "files>main main>vector vector>cluster",
            [("CARDINALITY_MISMATCH", "cluster", 2)],
        ),
        (
            BEGIN | {"some": "filter.some", "vector": "face.vector"},
            "files>find find>some some>PASS>vector",
            [],
        ),
        (
            BEGIN | {"some": "filter.some", "eye": "face.eye"},
            "files>find find>some some>PASS>eye",
            [("PORT_MISMATCH", "eye", 2)],
        ),
        ({"files": "source.files", "p": "photo.only", "f": "film.only"}, "files>p p>f", [("PORT_MISMATCH", "f", 1)]),
        (BEGIN | {"f": "film.only"}, "files>find find>f", []),
    ],
)
def test_an_edge_carries_the_asset_and_what_its_output_gives(
    faced: Callable[..., Compiled], nodes: Any, edges: str, expected: Any
) -> None:
    compiled = faced(nodes, edges)
    assert told(compiled) == expected
    assert (compiled.plan is None) is bool(expected)


def test_a_mismatch_says_both_types_and_what_would_fit(faced: Callable[..., Compiled]) -> None:
    one = faced(BEGIN | {"vector": "face.vector"}, "files>find files>vector").diagnostics[0]
    assert one.message == (
        "'files' gives media/*, and the input 'in' of 'vector' takes detection/face; what would fit: find, output out"
    )
    other = faced(BEGIN | {"eye": "face.eye"}, "files>find find>eye").diagnostics[0]
    assert "an output of detection/eye would fit, and no node here has one" in other.message
    assert other.field == "to.port"


def test_a_list_fans_out_over_an_input_for_one_and_what_is_gathered_is_a_list_again(
    faced: Callable[..., Compiled],
) -> None:
    nodes = BEGIN | {"vector": "face.vector", "cluster": "face.cluster", "parts": "face.parts", "eye": "face.eye"}
    plan = faced(nodes, "files>find find>vector vector>cluster find>parts parts>eye").plan
    assert plan is not None
    intakes = {step.node: step.intake for step in plan.steps if step.intake is not None}
    assert {node: one.fans_out for node, one in intakes.items()} == {
        "vector": True, "cluster": False, "parts": True, "eye": True,
    }  # fmt: skip
    find, vector, parts = (plan.step(node).index for node in ("find", "vector", "parts"))
    assert intakes["vector"].feeds == (Feed(find, "faces", 1),)
    assert intakes["cluster"].feeds == (Feed(vector, "vector", 1),)
    assert intakes["eye"].feeds == (Feed(parts, "parts", 2),), "a list for each face"
    assert set(plan.step("vector").reads) == {"find"}


def test_what_comes_in_is_part_of_the_signature(faced: Callable[..., Compiled]) -> None:
    nodes = BEGIN | {"main": "face.main", "vector": "face.vector"}
    signatures = {
        plan.step("vector").signature
        for edges in ("find>vector", "main>vector", "find>vector main>vector")
        if (plan := faced(nodes, f"files>find files>main {edges}").plan) is not None
    }
    assert len(signatures) == 3


def test_an_input_that_needs_no_value_may_be_left_alone(faced: Callable[..., Compiled]) -> None:
    plan = faced(BEGIN | {"maybe": "maybe.face"}, "files>find find>maybe").plan
    assert plan is not None
    intake = plan.step("maybe").intake
    assert intake is not None
    assert not intake.required


def test_of_unknown_operators_nothing_is_held_against_an_edge(make: Callable[..., Any]) -> None:
    nodes = {"files": "source.files", "new": "who.knows", "some": "filter.some", "vector": "face.vector"}
    for edges in ("files>new new>vector files>some", "files>new new>some some>PASS>vector"):
        compiled = compile_definition(make(nodes, edges), announced(), unknown_operators="warning")
        assert [d.code for d in compiled.diagnostics] == ["OPERATOR_UNKNOWN"]


BUCKETS = {"operator": "filter.bucket", "config": {"buckets": [{"name": "small", "when": "media.size < 1"}]}}


def bucketed(*ports: str) -> dict[str, Any]:
    nodes = [{"id": "files", "operator": "source.files"}, {"id": "sizes", **BUCKETS}]
    nodes += [{"id": f"n{index}", "operator": "photo.only"} for index, _ in enumerate(ports)]
    edges: list[Any] = [{"from": {"node": "files"}, "to": {"node": "sizes"}}]
    edges += [{"from": {"node": "sizes", "port": p}, "to": {"node": f"n{i}"}} for i, p in enumerate(ports)]
    return {"name": "p", "graph": {"nodes": nodes, "edges": edges}}


def test_buckets_of_a_config_are_ports() -> None:
    compiled = compile_definition(bucketed("small", "other"), announced())
    assert compiled.diagnostics == ()
    assert compiled.plan is not None
    assert [step.inbound[0].bucket for step in compiled.plan.steps] == [None, "small", "other"]
    swapped = compile_definition(bucketed("other", "small"), announced()).plan
    assert swapped is not None
    assert swapped.digest != compiled.plan.digest


def test_a_port_of_no_bucket_is_told_with_those_there_are() -> None:
    (one, _) = compile_definition(bucketed("large"), announced()).diagnostics
    assert (one.code, one.edge, one.field) == ("PORT_UNKNOWN", 1, "from.port")
    assert one.message.endswith("there is out, small, other")
