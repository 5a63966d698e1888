from __future__ import annotations

import json
import re

import pytest

from cortex.catalogue import load
from cortex.cli.catalogue import FAMILIES, listed, operators
from cortex.cli.describing import described
from cortex.cli.examples import example, written
from cortex.cli.fields import field_shown
from loom.errors import LoomError
from loom.graph.specs import OperatorSpec


def spec(description: str, **options: object) -> OperatorSpec:
    return OperatorSpec(id="x.y", version="1", description=description, config_schema={"properties": options})


def shown(operator: str) -> str:
    found = load().spec(operator)
    assert found is not None
    return "\n".join(described(found, load()))


def test_operators_are_listed_by_family_those_of_others_last() -> None:
    specs = [OperatorSpec(id=name, version="1", summary=f"Does {name}.") for name in ("acme.b", "sink.a", "source.a")]
    assert list(listed(specs)) == [
        "source: where files come from",
        "  source.a  Does source.a.",
        "",
        "sink: where things go: collections, tags, folders, servers",
        "  sink.a    Does sink.a.",
        "",
        "acme",
        "  acme.b    Does acme.b.",
        "",
        "`cortex operators ID` shows one in full.",
    ]


def test_every_family_that_ships_has_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert operators() == 0
    families = [line for line in capsys.readouterr().out.splitlines() if line and line[0] not in " `"]
    assert {line.partition(":")[0] for line in families} <= FAMILIES.keys()
    assert all(": " in line for line in families)


def test_json_has_every_operator_flat(capsys: pytest.CaptureFixture[str]) -> None:
    operators(json=True)
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == sorted(load().ids())


def test_one_in_full_tells_ports_options_outputs_codes_and_an_example() -> None:
    text = shown("video.scenes")
    assert re.search(r"out +out +many of detection/scene, its output `scenes`", text)
    assert "  pictures: whole number, 0 to 500; default 50\n" in text
    assert re.search(r"\n  count +integer +number of scenes\n", text)
    assert re.search(r"\n  FILE_TRUNCATED +The file ends before its content does.\n", text)
    assert "operator: video.scenes" in text.partition("\nexample\n")[2]


def test_what_is_needed_is_told_with_whether_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "  the package py3langid, which is there\n" in shown("text.language")
    monkeypatch.setitem(__import__("sys").modules, "py3langid", None)
    assert "  the package py3langid is not installed: pip install 'loom-cortex[language]'\n" in shown("text.language")


def test_buckets_and_what_is_read_by_name_are_told() -> None:
    assert "out  and one for each of `buckets`" in shown("filter.expression")
    assert re.search(r"reads +the nodes that its options name", shown("sink.sidecar"))


def test_one_that_nobody_offers_is_not_found() -> None:
    with pytest.raises(LoomError, match="lists them"):
        operators("no.such")


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Works. `{size: 3}` is an example, `{size: 4}` another.", {"config": {"size": 3}}),
        ("A `{path}` is no example; `{other: 3}` neither, `{size: 3}` is one.", {"config": {"size": 3}}),
        ("An example:\n\n    size: 3\n\nMore.", {"config": {"size": 3}}),
        ("Over\n`{id: a, operator: x.y,\nconfig: {size: 3}}` lines.", {"id": "a", "config": {"size": 3}}),
        (
            "An example:\n\n    - {id: a, operator: x.y, filter: {kinds: [image]}}",
            {"id": "a", "filter": {"kinds": ["image"]}},
        ),
        ("It has none: `{a: [}`.", {}),
    ],
)
def test_examples_are_found_in_descriptions(description: str, expected: dict[str, object]) -> None:
    assert example(spec(description, size={"type": "integer"})) == {"id": "y", "operator": "x.y", **expected}


def test_examples_are_written_as_definitions_have_them() -> None:
    assert written({"id": "a", "operator": "x.y"}) == ["- {id: a, operator: x.y}"]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 9, "default": 3}, "whole number, 1 to 9; default 3"),
        ({"type": "number", "exclusiveMinimum": 0}, "number, more than 0; required"),
        ({"enum": ["a", "b"], "default": ""}, 'a | b; default ""'),
        ({"$ref": "#/$defs/Kind", "default": "x"}, "x | y; default x"),
        ({"anyOf": [{"type": "string", "format": "node-value"}, {"type": "null"}], "default": None},
         "a value as node.key or null; default null"),
        ({"type": "array", "items": {"$ref": "#/$defs/Kind"}, "maxItems": 8, "default": []},
         "list (x | y), at most 8 of them; default []"),
        ({"type": "array", "prefixItems": [{"type": "number"}] * 2, "minItems": 2, "maxItems": 2},
         "list (number), 2 of them; required"),
        ({"type": "object", "properties": {"left": {}, "top": {}}}, "mapping (left, top); required"),
    ],
)  # fmt: skip
def test_options_are_told_in_words(field: dict[str, object], words: str) -> None:
    assert field_shown(field, {"Kind": {"enum": ["x", "y"]}}) == words
