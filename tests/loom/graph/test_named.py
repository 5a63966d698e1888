from __future__ import annotations

from typing import Any

import pytest

from loom.graph.named import NamedValue, named_values, names_values

VALUE = {"type": "string", "format": "node-value"}


def of(schema: Any, value: Any) -> list[tuple[str, str, str]]:
    named = named_values({"properties": {"x": schema}}, {"x": value})
    return [(one.node, one.key, one.field) for one in named]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (VALUE, "a.b.c", [("a", "b", "x")]),
        (VALUE, "no value", []),
        ({"type": "string"}, "a.b", []),
        ({"anyOf": [{"type": "null"}, VALUE]}, "a.b", [("a", "b", "x")]),
        ({"items": VALUE}, ["a.b", "c.d"], [("a", "b", "x.0"), ("c", "d", "x.1")]),
        ({"additionalProperties": VALUE}, {"k": "a.b"}, [("a", "b", "x.k")]),
        ({"patternProperties": {"^k": VALUE}}, {"k": "a.b"}, [("a", "b", "x.k")]),
        ({"propertyNames": VALUE}, {"a.b": 1}, [("a", "b", "x.a.b")]),
        ({"format": "node-template"}, "{a.b}/{name}-{c.d:%Y} {{e.f}}", [("a", "b", "x"), ("c", "d", "x")]),
        ({"items": {"format": "node-artifact"}}, ["a.b c.jpg", "a", "a."], [("a", "b c.jpg", "x.0")]),
        (
            {"format": "node-expression"},
            "a.b >= 1.5e3 and not (c-1.d.e == \"f.g\" or media.size < 10.5MB) and h.i in ['j.k']",
            [("a", "b", "x"), ("c-1", "d", "x"), ("h", "i", "x")],
        ),
    ],
)
def test_a_schema_says_where_values_are_named(schema: Any, value: Any, expected: Any) -> None:
    assert of(schema, value) == expected


def test_parts_of_a_schema_may_stand_elsewhere() -> None:
    schema = {
        "properties": {"rules": {"items": {"$ref": "#/$defs/Rule"}}},
        "$defs": {"Rule": {"properties": {"v": VALUE}}},
    }
    assert named_values(schema, {"rules": [{"v": "a.b"}]}) == (NamedValue("a", "b", "rules.0.v"),)


def test_a_schema_that_leads_back_to_itself_ends() -> None:
    schema = {"$defs": {"Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}, {"$ref": "#/$defs/Loop"}]}}}
    assert named_values({**schema, "$ref": "#/$defs/Loop"}, {"a": "b.c"}) == ()
    assert not names_values(schema)
    assert names_values({"properties": {"x": VALUE}})
