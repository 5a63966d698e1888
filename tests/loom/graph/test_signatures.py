"""What makes a result reusable: each rule shown by changing one thing and looking at what changes with it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

METADATA = "03097799e3dcc1a8ba74bb2b88f6a337081a21916fc185a88f708a44ed45f346"
PLAN = "3f6db6ecd3a717c9e7f459f797bca4284ee3bd1801ae8d7a1c915dbfb7343325"

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def document(make: Any) -> dict[str, Any]:
    nodes = {
        "files": "source.files", "metadata": "media.metadata", "thumb": "media.thumbnail", "sum": "text.summary",
        "ask": "filter.expression", "web": "sink.web",
    }  # fmt: skip
    edges = "files>metadata metadata>thumb metadata>sum thumb>ask ask>PASS>web sum>web"
    definition: dict[str, Any] = make(nodes, edges)
    return definition


@pytest.fixture
def changed(compiled: Any, document: dict[str, Any]) -> Callable[[Change], tuple[set[str], bool]]:
    """The nodes whose signatures a change changes, and whether the digest of the plan does."""

    def apply(change: Change) -> tuple[set[str], bool]:
        other = copy.deepcopy(document)
        change(other)
        before, after = compiled(document).plan, compiled(other).plan
        old = {step.node: step.signature for step in before.steps}
        return {s.node for s in after.steps if old.get(s.node) != s.signature}, before.digest != after.digest

    return apply


def node(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(node for node in document["graph"]["nodes"] if node["id"] == name)
    return found


def rename(document: dict[str, Any], old: str, new: str) -> None:
    node(document, old)["id"] = new
    for edge in document["graph"]["edges"]:
        for end in (edge["from"], edge["to"]):
            end["node"] = new if end["node"] == old else end["node"]


def test_nothing_changed_changes_nothing(changed: Any) -> None:
    assert changed(lambda d: None) == (set(), False)


def test_an_option_changes_its_node_and_those_that_read_it(changed: Any) -> None:
    assert changed(lambda d: node(d, "thumb").update(config={"size": 64})) == ({"thumb", "ask"}, True)
    assert changed(lambda d: node(d, "web").update(config={})) == (set(), False)


def test_an_option_written_at_its_default_changes_nothing(changed: Any) -> None:
    assert changed(lambda d: node(d, "thumb").update(config={"format": "webp", "size": 512})) == (set(), False)


def test_a_version_changes_its_node_and_those_that_read_it(
    compiled: Any, operators: Any, document: dict[str, Any]
) -> None:
    before = {step.node: step.signature for step in compiled(document).plan.steps}
    operators.versions["media.metadata"] = "2"
    after = {step.node: step.signature for step in compiled(document).plan.steps}
    assert {name for name in before if before[name] != after[name]} == {"metadata", "sum", "ask"}


def test_two_pipelines_share_the_results_of_the_same_node(changed: Any) -> None:
    def rename_pipeline(d: dict[str, Any]) -> None:
        d["name"] = "other"

    assert changed(rename_pipeline) == ({"web"}, True)


def test_a_new_id_changes_only_its_readers_and_effects(changed: Any) -> None:
    """`thumb` reads nothing, so its own signature stays; `ask` reads it by its id."""
    assert changed(lambda d: rename(d, "web", "hook"))[0] == {"hook"}
    nodes, _ = changed(lambda d: rename(d, "thumb", "small"))
    assert nodes == {"small", "ask"}


def test_a_renamed_node_keeps_its_results(compiled: Any, document: dict[str, Any]) -> None:
    before = compiled(document).plan
    rename(document, "thumb", "small")
    assert compiled(document).plan.step("small").signature == before.step("thumb").signature


def test_a_new_node_upstream_changes_those_that_read_all(changed: Any) -> None:
    def add(d: dict[str, Any]) -> None:
        d["graph"]["nodes"].append({"id": "sha256", "operator": "hash.sha256"})
        d["graph"]["edges"] += [{"from": {"node": "files"}, "to": {"node": "sha256"}},
                                {"from": {"node": "sha256"}, "to": {"node": "thumb"}}]  # fmt: skip

    assert changed(add) == ({"sha256", "ask"}, True)


@pytest.mark.parametrize(
    "change", [{"enabled": False}, {"config": {"enabled": False}}, {"filter": {"kinds": ["image"]}}]
)
def test_switching_off_and_filters_change_readers_and_plan_but_not_the_node(changed: Any, change: Any) -> None:
    assert changed(lambda d: node(d, "thumb").update(change)) == ({"ask"}, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(description="x", priority=3, dry_run=True, match={"kinds": ["image"]}),
        lambda d: d["graph"].update(layout={"a": 1}, meta={"b": 2}, limits={"c": 3}),
        lambda d: node(d, "thumb").update(timeout_s=3, retries=2),
        lambda d: d["graph"]["nodes"].reverse(),
        lambda d: d["graph"]["edges"].reverse(),
    ],
)
def test_what_decides_no_outcome_changes_nothing(changed: Any, change: Change) -> None:
    assert changed(change) == (set(), False)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["graph"]["edges"][4].update(branch="FAIL"),
        lambda d: d["graph"]["edges"].append({"from": {"node": "files"}, "to": {"node": "web"}}),
        lambda d: node(d, "files").update(operator="source.list"),
    ],
)
def test_edges_and_the_source_change_the_plan_alone(changed: Any, change: Change) -> None:
    assert changed(change) == (set(), True)


def test_digests_are_the_same_on_every_machine(compiled: Any, document: dict[str, Any]) -> None:
    plan = compiled(document).plan
    assert plan.step("metadata").signature.hex() == METADATA
    assert plan.digest.hex() == PLAN
