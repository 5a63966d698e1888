from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from faceoperators import announced

from loom.graph.compiler import Compiled, compile_definition


@pytest.fixture
def found(make: Callable[..., Any]) -> Callable[..., list[tuple[str, str | None, str | None, str]]]:
    def compiled(nodes: Any, edges: str, **fields: Any) -> list[tuple[str, str | None, str | None, str]]:
        told: Compiled = compile_definition(make({"files": "source.files", **nodes}, edges, **fields), announced())
        return [(d.code, d.node, d.field, d.message) for d in told.diagnostics]

    return compiled


def reads(value: str, **more: Any) -> dict[str, Any]:
    return {"operator": "read.value", "config": {"value": value}, **more}


FIND = {"find": "face.find"}
UNSURE = "find.count is not there for every asset: "


@pytest.mark.parametrize(
    ("nodes", "edges", "expected"),
    [
        (FIND | {"read": reads("find.count")}, "files>find find>read", []),
        (FIND | {"read": reads("find.count.sub")}, "files>find find>read", []),
        (
            FIND | {"read": reads("find.size")},
            "files>find find>read",
            [("VALUE_UNKNOWN", "'find' (face.find) gives no 'size'; it gives faces, count")],
        ),
        (
            {"p": "photo.only", "read": reads("p.size")},
            "files>p p>read",
            [("VALUE_UNKNOWN", "'p' (photo.only) gives no 'size'; it gives no values")],
        ),
        (
            FIND | {"read": reads("find.count")},
            "files>find files>read",
            [("READ_UNKNOWN", "the config names a node 'find', which is not upstream")],
        ),
        (
            FIND | {"read": reads("find.count")},
            "files>find files>read find>read",
            [("VALUE_UNSURE", UNSURE + "not every way here leads through 'find'")],
        ),
        (
            FIND | {"read": reads("find.count")},
            "files>find find>ERROR>read",
            [("VALUE_UNSURE", UNSURE + "not every way here leads through 'find'")],
        ),
        (
            FIND | {"f": "filter.some", "read": reads("find.count")},
            "files>f f>PASS>find f>FAIL>read find>read",
            [("VALUE_UNSURE", UNSURE + "not every way here leads through 'find'")],
        ),
        (FIND | {"f": "filter.some", "read": reads("find.count")}, "files>find find>f f>PASS>read f>FAIL>read", []),
        (
            {"find": {"operator": "face.find", "enabled": False}, "read": reads("find.count")},
            "files>find find>read",
            [("VALUE_UNSURE", UNSURE + "'find' is switched off")],
        ),
        (
            {"find": {"operator": "face.find", "filter": {"kinds": ["image"]}}, "read": reads("find.count")},
            "files>find find>read",
            [("VALUE_UNSURE", UNSURE + "'find' has a filter of its own")],
        ),
        (
            {
                "find": {"operator": "face.find", "filter": {"kinds": ["image"]}},
                "read": reads("find.count", filter={"kinds": ["image"]}),
            },
            "files>find find>read",
            [],
        ),
    ],
)
def test_what_a_config_names_must_be_given_before_it(found: Any, nodes: Any, edges: str, expected: Any) -> None:
    told = found(nodes, edges)
    assert [(code, message) for code, _, _, message in told] == expected
    assert {(node, field) for _, node, field, _ in told} <= {("read", "config.value")}


IMAGE = {"image": "image.only", "read": reads("image.width")}


def test_a_value_of_some_kinds_is_not_there_for_others(found: Any) -> None:
    (one,) = found(IMAGE, "files>image image>read")
    assert (one[0], one[3].partition(": ")[2]) == (
        "VALUE_UNSURE", "'image' is not for audio, document, other, text, video",
    )  # fmt: skip
    assert found(IMAGE, "files>image image>read", match={"kinds": ["image"]}) == []
    assert found(IMAGE, "files>image image>read", match={"kinds": "image"}) == []
    behind = IMAGE | {"f": "filter.some"}
    assert found(behind, "files>f f>PASS>image image>read") == [], "the filter may keep just those away"


def test_of_a_list_one_that_is_sure_is_enough(found: Any) -> None:
    named = {"operator": "read.value", "config": {"values": ["image.width", "find.count"]}}
    nodes = FIND | {"image": "image.only", "read": named}
    assert found(nodes, "files>find find>image image>read") == []
    told = found(nodes, "files>find files>image image>read find>read")
    assert [(code, field) for code, _, field, _ in told] == [
        ("VALUE_UNSURE", "config.values.0"),
        ("VALUE_UNSURE", "config.values.1"),
    ]


def test_what_an_operator_declares_to_take_is_looked_for_too(found: Any) -> None:
    assert found(FIND | {"read": "read.declared"}, "files>find find>read") == []
    told = found({"find": "photo.only", "read": "read.declared"}, "files>find find>read")
    assert [(code, node, field) for code, node, field, _ in told] == [("VALUE_UNKNOWN", "read", None)]
