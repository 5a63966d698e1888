from __future__ import annotations

from pathlib import Path

import pytest

from loom.errors import LoomError
from loom.graph.builder import PipelineNode
from loom.graph.definition import Pipeline, dumps, loads
from loom.model import Branch


def node(operator: str, **fields: object) -> PipelineNode:
    return PipelineNode(operator=operator, **fields)  # type: ignore[arg-type]


def test_the_default_id_is_the_last_part_of_the_operators_id() -> None:
    assert node("hash.sha256").id == "sha256"
    assert node("plain").id == "plain"
    assert node("hash.sha256", id="mine").id == "mine"


def test_every_way_to_connect_adds_the_edge_it_says_and_gives_the_next_node() -> None:
    source, check = node("source.files"), node("filter.media")
    last = [node("x.a"), node("x.b"), node("x.c"), node("x.d")]
    assert source.connect_to(check) is check
    assert check.connect_to(last[0], branch=Branch.PASS) is last[0]
    assert check.failed >> last[1] is last[1]
    assert check.errored.connect_to(last[2]) is last[2]
    assert last[0] >> last[3] is last[3]
    assert check.passed >> last[3] is last[3]

    edges = Pipeline.builder("p").source(source).build().graph.edges
    assert [(e.source.node, e.target.node, e.branch) for e in edges] == [
        ("files", "media", None),
        ("media", "a", Branch.PASS),
        ("media", "b", Branch.FAIL),
        ("media", "c", Branch.ERROR),
        ("media", "d", Branch.PASS),
        ("a", "d", None),
    ]


def test_a_port_leads_on_from_its_name() -> None:
    source, sizes, small, rest = node("source.files"), node("filter.sizes"), node("x.small"), node("x.rest")
    source >> sizes
    assert sizes.port("small") >> small is small
    sizes.port("other").connect_to(rest, to_port="else")
    pipeline = Pipeline.builder("p").source(source).build()
    ends = [(e.source.node, e.source.port, e.target.node, e.target.port) for e in pipeline.graph.edges]
    assert ends[1:] == [("sizes", "small", "small", "in"), ("sizes", "other", "rest", "else")]
    for format_ in ("json", "yaml", "toml"):
        assert loads(dumps(pipeline, format_), format_) == pipeline


def test_nodes_are_found_breadth_first_and_once() -> None:
    source, left, right, end = (node(f"x.{name}") for name in ("source", "left", "right", "end"))
    source >> right >> end
    source >> left >> end
    assert [n.id for n in Pipeline.builder("p").source(source).build().graph.nodes] == [
        "source",
        "right",
        "left",
        "end",
    ]


def test_a_cycle_is_left_to_the_compiler() -> None:
    source, a, b = node("x.source"), node("x.a"), node("x.b")
    source >> a >> b >> a
    assert len(Pipeline.builder("p").source(source).build().graph.edges) == 3


def test_everything_a_node_and_a_pipeline_can_say_comes_into_the_definition() -> None:
    source = node("source.files", config={"folder": Path("/photos"), "sizes": (1, 2)})
    thumbnail = node("media.thumbnail", id="thumb", filter={"kinds": ["image"]}, timeout_s=5, retries=2)
    source.connect_to(thumbnail, from_port="images", to_port="picture")
    built = (
        Pipeline.builder("photos").description("Default").priority(10).enabled(False).dry_run()
        .match(kinds=["image"], paths=["a/**"]).source(source).build()
    )  # fmt: skip
    assert built.document() == {
        "schema_version": 1,
        "name": "photos",
        "description": "Default",
        "priority": 10,
        "enabled": False,
        "dry_run": True,
        "match": {"kinds": ["image"], "paths": ["a/**"]},
        "graph": {
            "nodes": [
                {"id": "files", "operator": "source.files", "config": {"folder": "/photos", "sizes": [1, 2]}},
                {
                    "id": "thumb",
                    "operator": "media.thumbnail",
                    "filter": {"kinds": ["image"]},
                    "timeout_s": 5.0,
                    "retries": 2,
                },
            ],
            "edges": [{"from": {"node": "files", "port": "images"}, "to": {"node": "thumb", "port": "picture"}}],
        },
    }
    assert "name: photos" in dumps(built, "yaml")


def test_two_nodes_of_the_same_id_are_an_error_that_names_both() -> None:
    source = node("source.files")
    source >> node("hash.sha256") >> node("other.sha256")
    with pytest.raises(LoomError, match=r"'sha256' \(hash.sha256 and other.sha256\).*id=") as caught:
        Pipeline.builder("p").source(source).build()
    assert caught.value.code == "DEFINITION_INVALID"


@pytest.mark.parametrize(
    ("broken", "match"),
    [
        (lambda: Pipeline.builder("p").build(), "source"),
        (lambda: Pipeline.builder("Not a name").source(node("source.files")).build(), "name"),
        (lambda: Pipeline.builder("p").source(node("s.f", config={"a": object()})).build(), "plain data"),
        (lambda: Pipeline.builder("p").source(node("s.f", config={"a": float("nan")})).build(), "plain data"),
    ],
)
def test_what_cannot_be_a_definition_is_refused(broken: object, match: str) -> None:
    with pytest.raises(LoomError, match=match) as caught:
        broken()  # type: ignore[operator]
    assert caught.value.code == "DEFINITION_INVALID"


def test_an_unknown_branch_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="MAYBE"):
        node("x.a").connect_to(node("x.b"), "MAYBE")
