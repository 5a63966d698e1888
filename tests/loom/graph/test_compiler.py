from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.graph.codes import CODES
from loom.graph.compiler import compile_definition
from loom.graph.definition import parse
from loom.graph.plan import SOURCE, AssetFilter, Inbound
from loom.model import Branch, Kind

CHAIN = {"files": "source.files", "sha256": "hash.sha256", "thumb": "media.thumbnail"}


def told(compiled: Any) -> list[tuple[str, str | int | None, str | None]]:
    assert all(found.code in CODES for found in compiled.diagnostics)
    return [(d.code, d.node if d.edge is None else d.edge, d.field) for d in compiled.diagnostics]


def test_a_sound_definition_becomes_a_plan(compiled: Any, make: Any) -> None:
    nodes = {
        "files": {"operator": "source.files"},
        "check": {"operator": "filter.media", "config": {"kinds": ["image"]}},
        "thumb": {
            "operator": "media.thumbnail",
            "config": {"size": 64},
            "timeout_s": 5,
            "retries": 2,
            "filter": {"mime": ["image/*"], "size": {"max": "1KB"}},
        },
        "web": {"operator": "sink.web", "enabled": False},
    }
    found = compiled(
        make(nodes, "files>check check>PASS>thumb check>FAIL>web thumb>ERROR>web", match={"paths": ["a/*"]})
    )
    assert found.diagnostics == ()
    plan = found.plan
    assert (plan.pipeline, plan.dry_run, plan.match) == ("test", False, AssetFilter(path=("a/*",)))
    assert (plan.source.node, plan.source.operator) == ("files", "source.files")
    check, thumb, web = plan.steps
    assert (check.index, check.node, check.inbound, check.verdicts) == (0, "check", (Inbound(SOURCE, None),), True)
    assert thumb.config == {"size": 64, "format": "webp", "crop": None}
    assert (thumb.timeout_s, thumb.retries, thumb.kinds, thumb.sandboxed) == (5.0, 2, frozenset({Kind.IMAGE}), True)
    assert thumb.filter == AssetFilter(mime=("image/*",), max_size=1024)
    assert web.inbound == (Inbound(0, Branch.FAIL), Inbound(1, Branch.ERROR))
    assert (web.enabled, web.effect, web.sandboxed, thumb.enabled, thumb.effect) == (False, True, False, True, False)


def test_enabled_may_be_said_in_the_config_too(compiled: Any, make: Any) -> None:
    plan = compiled(make(CHAIN | {"thumb": {"operator": "media.thumbnail", "config": {"enabled": False}}},
                         "files>sha256 sha256>thumb")).plan  # fmt: skip
    assert [step.enabled for step in plan.steps] == [True, False]
    assert "enabled" not in plan.steps[1].config


def test_a_pipeline_and_its_document_give_the_same(compiled: Any, make: Any) -> None:
    document = make(CHAIN, "files>sha256 sha256>thumb")
    assert compiled(parse(document)) == compiled(document)


def test_a_bare_graph_is_compiled_and_its_fields_are_named_from_it(compiled: Any, make: Any) -> None:
    graph = make(CHAIN, "files>sha256 sha256>thumb")["graph"]
    assert [step.node for step in compiled(graph).plan.steps] == ["sha256", "thumb"]
    graph["nodes"].append({"operator": "hash.sha1"})
    assert told(compiled(graph)) == [
        ("FIELD_MISSING", None, "nodes.3.id"),
        ("OPERATOR_UNKNOWN", None, "nodes.3.operator"),
    ]


@pytest.mark.parametrize("name", ["operators", "compile", "runtime", "events"])
def test_names_of_addresses_are_reserved(compiled: Any, make: Any, name: str) -> None:
    assert told(compiled(make(CHAIN, "files>sha256 sha256>thumb", name=name))) == [("NAME_RESERVED", None, "name")]


def test_every_problem_is_told_at_once(compiled: Any) -> None:
    document = {
        "name": "Bad Name",
        "graph": {
            "nodes": [
                {"id": "files", "operator": "source.files"},
                {"id": "list", "operator": "source.list"},
                {"id": "hash", "operator": "hash.sha265"},
                {"id": "thumb", "operator": "media.thumbnail", "config": {"size": "big", "crop": {"z": 1}}},
                {"id": "thumb", "operator": "media.thumbnail"},
                {"id": "a", "operator": "media.metadata"},
                {"id": "b", "operator": "media.metadata"},
                {"id": "alone", "operator": "join.two"},
            ],
            "edges": [
                {"from": {"node": "files"}, "to": {"node": "nobody"}},
                {"from": {"node": "files", "port": "err"}, "to": {"node": "thumb", "port": "picture"}},
                {"from": {"node": "a"}, "to": {"node": "b"}},
                {"from": {"node": "b"}, "to": {"node": "a"}},
                {"from": {"node": "b"}, "to": {"node": "files"}},
                {"from": {"node": "files"}, "to": {"node": "a"}, "branch": "FAIL"},
                {"from": {"node": "files"}, "to": {"node": "a"}, "branch": "FAIL"},
                {"from": {"node": "a"}, "to": {"node": "alone"}, "maxsize": 7},
            ],
        },
    }
    found = compiled(document)
    assert found.plan is None
    assert told(found) == [
        ("NAME_INVALID", None, "name"),
        ("OPERATOR_UNKNOWN", "hash", "operator"),
        ("CONFIG_INVALID", "thumb", "config.size"),
        ("CONFIG_INVALID", "thumb", "config.crop.z"),
        ("ID_DUPLICATE", "thumb", None),
        ("SOURCE_MULTIPLE", "list", None),
        ("EDGE_NODE_UNKNOWN", 0, "to.node"),
        ("PORT_UNKNOWN", 1, "from.port"),
        ("PORT_UNKNOWN", 1, "to.port"),
        ("EDGE_INTO_SOURCE", 4, "to.node"),
        ("BRANCH_IMPOSSIBLE", 5, "branch"),
        ("EDGE_DUPLICATE", 6, None),
        ("BRANCH_IMPOSSIBLE", 6, "branch"),
        ("EDGE_OPTION_UNUSED", 7, "maxsize"),
        ("INPUT_UNCONNECTED", "thumb", None),
        ("INPUT_UNCONNECTED", "alone", None),
        ("CYCLE", "files", None),
        ("NODE_UNREACHABLE", "hash", None),
    ]
    sentences = {d.code: d.message for d in found.diagnostics}
    assert "did you mean hash.sha256?" in sentences["OPERATOR_UNKNOWN"]
    assert "files -> a -> b -> files" in sentences["CYCLE"]


@pytest.mark.parametrize(
    ("nodes", "edges", "expected"),
    [
        ({"sha256": "hash.sha256"}, "", [("SOURCE_MISSING", None), ("INPUT_UNCONNECTED", "sha256")]),
        (CHAIN, "files>sha256 thumb>thumb", [("CYCLE", "thumb"), ("NODE_UNREACHABLE", "thumb")]),
        (CHAIN, "files>sha256 sha256>FAIL>thumb", [("BRANCH_IMPOSSIBLE", 1)]),
        (CHAIN, "files>ERROR>sha256 sha256>ERROR>thumb", [("BRANCH_IMPOSSIBLE", 0)]),
        (CHAIN, "files>sha256 sha256>PASS>thumb", []),
        (CHAIN | {"sha256": "filter.media"}, "files>sha256 sha256>thumb", [("EDGE_UNLABELLED", 1)]),
        (CHAIN | {"sha256": "audio.only"}, "files>sha256 sha256>thumb", [("PORT_MISMATCH", 0)]),
        (CHAIN | {"thumb": "text.summary"}, "files>sha256 sha256>thumb", [("NEED_UNMET", "thumb")]),
        (
            {"files": "source.files", "metadata": "media.metadata", "sum": "text.summary"},
            "files>metadata files>sum",
            [("NEED_UNMET", "sum")],
        ),
        (
            {"files": "source.files", "metadata": "media.metadata", "sum": "text.summary"},
            "files>metadata metadata>sum",
            [],
        ),
        (CHAIN | {"thumb": "broken.check"}, "files>sha256 sha256>thumb", [("CONFIG_INVALID", "thumb")]),
        (
            CHAIN | {"files": {"operator": "source.files", "retries": 3, "config": {"enabled": False}}},
            "files>sha256 sha256>thumb",
            [("SOURCE_OPTION_UNUSED", "files"), ("SOURCE_OPTION_UNUSED", "files")],
        ),
    ],
)
def test_each_rule(compiled: Any, make: Any, nodes: Any, edges: str, expected: Any) -> None:
    found = compiled(make(nodes, edges))
    assert [(code, place) for code, place, _ in told(found)] == expected
    assert (found.plan is None) == any(d.level == "error" for d in found.diagnostics)


def test_warnings_are_called_warnings() -> None:
    warned = {code for code, sentence in CODES.items() if sentence.endswith("(warning).")}
    assert warned == {"SOURCE_OPTION_UNUSED", "EDGE_UNLABELLED", "EDGE_OPTION_UNUSED", "VALUE_UNSURE"}


def test_an_unknown_operator_may_be_a_warning_but_gives_no_plan(compiled: Any, make: Any) -> None:
    document = make({"camera": "source.camera", "sha256": "hash.sha256"}, "camera>sha256")
    found = compiled(document, unknown_operators="warning")
    assert (found.plan, [(d.level, d.code) for d in found.diagnostics]) == (None, [("warning", "OPERATOR_UNKNOWN")])
    assert [d.level for d in compiled(document).diagnostics] == ["error"]


def test_what_an_operator_may_read(compiled: Any, make: Any) -> None:
    nodes = {
        "files": "source.files", "metadata": "media.metadata", "sha256": "hash.sha256", "sum": "text.summary",
        "ask": "filter.expression",
    }  # fmt: skip
    plan = compiled(make(nodes, "files>metadata files>sha256 metadata>sum sha256>sum sum>ask")).plan
    assert plan.step("sum").reads == {"metadata": 0}
    assert plan.step("sum").needs == ("metadata",)
    assert plan.step("ask").reads == {"metadata": 0, "sha256": 1, "sum": 2}
    assert plan.step("sha256").reads == {}


def test_a_long_cycle_is_named_in_order_and_shortened(compiled: Any, make: Any) -> None:
    nodes = {"files": "source.files"} | {f"n{i}": "hash.sha256" for i in range(30)}
    edges = "files>n0 " + " ".join(f"n{i}>n{(i + 1) % 30}" for i in range(30))
    (cycle,) = compiled(make(nodes, edges)).diagnostics
    assert cycle.message.startswith("these nodes lead back to themselves: n0 -> n1 -> n2 -> ")
    assert cycle.message.endswith("n17 -> (12 more) -> n0")


FIELDS = [
    "graph",
    "nodes",
    "edges",
    "id",
    "operator",
    "config",
    "from",
    "to",
    "node",
    "port",
    "branch",
    "name",
    "filter",
]

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.sampled_from(["files", "a"])
    ),
    lambda part: st.one_of(
        st.lists(part, max_size=4),
        st.dictionaries(
            st.one_of(
                st.sampled_from(FIELDS),
                st.text(max_size=3),
            ),
            part,
            max_size=5,
        ),
    ),
    max_leaves=30,
)


@given(document=JSON)
def test_nothing_makes_the_compiler_raise(document: Any) -> None:
    from loom.graph.announced import Announced

    for tried in (
        document,
        {"name": "p", "graph": document},
        {"name": "p", "graph": {"nodes": document, "edges": document}},
    ):
        found = compile_definition(tried, Announced([]))
        assert found.plan is None
        json.dumps([d.message for d in found.diagnostics]).encode()


def test_hostile_names_can_be_reported(compiled: Any) -> None:
    import msgspec

    nodes = [{"id": "x" * 1_000_000, "operator": "y" * 1_000_000}, {"id": "\ud800", "operator": "\udfff"}]
    for chosen in (nodes, nodes[:1]):
        found = compiled({"name": "p", "graph": {"nodes": chosen, "edges": [{"from": {"node": "z" * 1_000_000}}]}})
        assert found.plan is None
        assert len(msgspec.json.encode(found.diagnostics)) < 10_000


@pytest.mark.timeout(60)
def test_ten_thousand_nodes_can_be_compiled(compiled: Any, make: Any) -> None:
    chain = {"files": "source.files"} | {f"n{i}": "media.metadata" for i in range(9_999)}
    edges = "files>n0 " + " ".join(f"n{i}>n{i + 1}" for i in range(9_998))
    document = make(chain, edges)
    assert len(compiled(document).plan.steps) == 9_999

    knot = make(chain, edges + " n9998>n0")
    assert {d.code for d in compiled(knot).diagnostics} == {"CYCLE"}

    nonsense = make({f"n{i}": f"what.{i}" for i in range(10_000)}, edges)
    assert compiled(nonsense).plan is None


def test_operators_that_read_all_ancestors_are_bounded_in_number(compiled: Any, make: Any) -> None:
    chain = {"files": "source.files"} | {f"n{i}": "filter.expression" for i in range(2_000)}
    document = make(chain, "files>n0 " + " ".join(f"n{i}>PASS>n{i + 1}" for i in range(1_999)))
    assert told(compiled(document)) == [("TOO_LARGE", None, None)]
