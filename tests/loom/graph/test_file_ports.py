"""Derived files through ports, and items that a filter of single ones keeps back, as the compiler sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from faceoperators import FILE_SPECS, announced

from loom.graph.compiler import Compiled, compile_definition
from loom.graph.plan import Feed, Plan, Way
from loom.model import Branch

Compile = Callable[..., Compiled]


@pytest.fixture
def filed(make: Callable[..., Any]) -> Compile:
    return lambda nodes, edges, **fields: compile_definition(make(nodes, edges, **fields), announced(*FILE_SPECS))


@pytest.fixture
def planned(filed: Compile) -> Callable[..., Plan]:
    def plan(nodes: Any, edges: str) -> Plan:
        compiled = filed({"files": "source.files", **nodes}, edges)
        assert compiled.plan is not None, compiled.diagnostics
        return compiled.plan

    return plan


IMAGES = {"match": {"kinds": ["image"]}}


def edge(source: str, target: str, branch: str | None = None, port: str = "out", to: str = "in") -> dict[str, Any]:
    label = {} if branch is None else {"branch": branch}
    return {"from": {"node": source, "port": port}, "to": {"node": target, "port": to}, **label}


def test_a_derived_file_comes_in_at_an_input_for_it(planned: Callable[..., Plan]) -> None:
    plan = planned({"make": "file.make", "see": "file.see"}, "files>make make>see")
    see = plan.step("see")
    assert see.intake is not None
    assert (see.intake.feeds, see.intake.fans_out) == ((Feed(plan.step("make").index, "made", 0, True),), False)
    assert set(see.reads) == {"make"}
    assert see.kinds == frozenset(), "its kinds are those of the file"
    assert plan.step("make").kinds


def test_many_fan_out_over_an_input_for_one_and_are_gathered(planned: Callable[..., Plan]) -> None:
    plan = planned({"parts": "file.parts", "see": "file.see", "all": "file.all"}, "files>parts parts>see parts>all")
    see, whole = plan.step("see").intake, plan.step("all").intake
    assert see is not None
    assert whole is not None
    assert (see.fans_out, whole.fans_out, whole.many) == (True, False, True)


@pytest.mark.parametrize(
    ("giver", "expected"),
    [
        ("file.text", ["PORT_MISMATCH"]),
        ("face.main", ["PORT_MISMATCH"]),
        ("file.make", []),
        ("filter.some", ["PORT_MISMATCH"]),
    ],
)
def test_an_edge_carries_files_of_its_type_alone(filed: Compile, giver: str, expected: list[str]) -> None:
    nodes = {"files": "source.files", "give": giver, "see": "file.see"}
    branch = "PASS>" if giver.startswith("filter") else ""
    compiled = filed(nodes, f"files>give give>{branch}see", **IMAGES)
    assert [d.code for d in compiled.diagnostics] == expected


def test_a_filter_hands_files_on(filed: Compile) -> None:
    nodes = {"files": "source.files", "make": "file.make", "some": "filter.some", "see": "file.see"}
    compiled = filed(nodes, "files>make make>some some>PASS>see", **IMAGES)
    assert compiled.diagnostics == ()
    assert compiled.plan is not None
    assert set(compiled.plan.step("see").reads) == {"make"}


@pytest.mark.parametrize(
    ("see", "port", "match", "unsure"),
    [
        ("file.see", "in", IMAGES, False),
        ("file.see", "in", {}, True),
        ("file.mark", "file", {}, False),
        ("file.send", "file", {}, True),
        ("file.all", "in", {}, True),
    ],
)
def test_a_file_that_some_assets_lack_is_told_where_nothing_takes_its_place(
    filed: Compile, make: Callable[..., Any], see: str, port: str, match: Any, unsure: bool
) -> None:
    document = make({"files": "source.files", "make": "file.make", "see": see}, "files>make", **match)
    document["graph"]["edges"].append(edge("make", "see", to=port))
    compiled = compile_definition(document, announced(*FILE_SPECS))
    told = [(d.code, d.node, d.message) for d in compiled.diagnostics]
    message = f"make.made does not come in at {port!r} for every asset: 'make' is not for"
    assert [(code, node) for code, node, _ in told] == ([("VALUE_UNSURE", "see")] if unsure else [])
    assert all(text.startswith(message) for *_, text in told)


def test_one_that_is_surely_there_among_several_is_enough(make: Callable[..., Any]) -> None:
    nodes = {
        "files": "source.files",
        "parts": "file.parts",
        "make": "file.make",
        "some": "filter.some",
        "all": "file.all",
    }
    found = []
    for edges in ("", " parts>some"):
        document = make(nodes, f"files>parts parts>make make>some some>PASS>all{edges}")
        document["graph"]["nodes"][2]["enabled"] = False
        found.append([d.code for d in compile_definition(document, announced(*FILE_SPECS)).diagnostics])
    assert found == [["VALUE_UNSURE"], []]


def test_the_name_of_a_file_and_that_of_a_value_are_told_apart_in_a_signature(planned: Callable[..., Plan]) -> None:
    one = planned({"make": "file.make", "mark": "file.mark", "see": "file.see"}, "files>make make>mark mark>see")
    other = planned({"make": "file.make", "mark": "file.mark", "see": "file.see"}, "files>make make>mark make>see")
    assert one.step("see").signature != other.step("see").signature


GOOD = {"find": "face.find", "good": "face.good", "vector": "face.vector"}


def ways(plan: Plan, node: str) -> list[tuple[Way, ...]]:
    intake = plan.step(node).intake
    assert intake is not None
    return [feed.ways for feed in intake.feeds]


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ("find>good good>PASS>vector", [(Branch.PASS, None)]),
        ("find>good good>FAIL>vector", [(Branch.FAIL, None)]),
        ("find>good good>ERROR>vector", [(Branch.ERROR, None)]),
        ("find>good good>vector", []),
        ("find>good good>FAIL>vector good>PASS>vector", [(Branch.FAIL, None), (Branch.PASS, None)]),
        ("find>good good>FAIL>vector find>vector", []),
    ],
)
def test_behind_a_filter_of_items_only_those_come_that_went_this_way(
    filed: Compile, edges: str, expected: list[Any]
) -> None:
    plan = filed({"files": "source.files", **GOOD}, f"files>find {edges}").plan
    assert plan is not None
    good = plan.step("good").index
    assert ways(plan, "vector") == [tuple(Way(good, *one) for one in expected)]
    assert ("good" in plan.step("vector").reads) is bool(expected)


def test_what_lets_items_through_is_part_of_the_signature(make: Callable[..., Any]) -> None:
    operators = announced(*FILE_SPECS)

    def signature(edges: str, **options: Any) -> bytes:
        document = make({"files": "source.files", **GOOD}, f"files>find find>good {edges}")
        document["graph"]["nodes"][2].update(options)
        plan = compile_definition(document, operators).plan
        assert plan is not None
        return plan.step("vector").signature

    passed = signature("good>PASS>vector")
    assert passed != signature("good>FAIL>vector")
    assert passed != signature("good>vector")
    assert signature("good>vector") == signature("find>vector"), "what decides nothing does not count"
    assert passed != signature("good>PASS>vector", filter={"kinds": ["image"]})
    assert passed != signature("good>PASS>vector", enabled=False)


def test_through_nodes_that_hand_on_and_a_second_filter_the_last_one_counts(planned: Callable[..., Plan]) -> None:
    nodes = {**GOOD, "some": "filter.some", "again": "face.good"}
    edges = "files>find find>good good>PASS>some some>PASS>again again>FAIL>vector"
    plan = planned(nodes, edges)
    good, again = (plan.step(node).index for node in ("good", "again"))
    assert ways(plan, "again") == [(Way(good, Branch.PASS, None),)]
    assert ways(plan, "vector") == [(Way(again, Branch.FAIL, None),)]
    assert set(plan.step("vector").reads) == {"find", "good", "again"}


def test_its_own_values_are_let_through_as_its_items_are(make: Callable[..., Any]) -> None:
    document = make({"files": "source.files", **GOOD, "read": "score.read"}, "files>find find>good find>vector")
    document["graph"]["edges"].append(edge("good", "read", "PASS", port="score"))
    plan = compile_definition(document, announced(*FILE_SPECS)).plan
    assert plan is not None
    assert ways(plan, "read") == [(Way(plan.step("good").index, Branch.PASS, None),)]
