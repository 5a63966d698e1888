from __future__ import annotations

from typing import Any

import msgspec
import pytest

from loom.graph.announced import Announced
from loom.graph.compiler import compile_definition
from loom.graph.specs import Catalogue, OperatorSpec


@pytest.fixture
def announced(operators: Any) -> Announced:
    """The same operators as they arrive from a worker: as JSON."""
    specs = [operators.spec(name) for name in operators.ids()]
    return Announced(msgspec.json.decode(msgspec.json.encode(specs), type=list[OperatorSpec]))


CONFIGS: list[dict[str, Any]] = [
    {},
    {"size": 3},
    {"enabled": False},
    {"crop": {}},
    {"crop": {"y": 1}},
    {"crop": None},
    {"size": "big"},
    {"size": True},
    {"colour": 1, "shape": 2},
    {"crop": {"z": 1}},
    {"crop": 3},
]


@pytest.mark.parametrize("config", CONFIGS)
def test_a_schema_normalises_as_its_model_does(announced: Announced, operators: Any, config: dict[str, Any]) -> None:
    ours, our_problems = announced.normalise("media.thumbnail", config)
    theirs, their_problems = operators.normalise("media.thumbnail", config)
    assert ours == theirs
    assert bool(our_problems) == bool(their_problems)
    assert str(ours) == str(ours | theirs)


def test_problems_name_their_fields(announced: Announced) -> None:
    _, problems = announced.normalise("media.thumbnail", {"size": "big", "colour": 1, "format": 2})
    assert sorted(problem.field for problem in problems) == ["colour", "format", "size"]
    needy = Announced(
        [OperatorSpec(id="a.b", version="1", config_schema={"type": "object", "required": ["x", "y"]})]
    ).normalise("a.b", {"x": 1})
    assert [problem.field for problem in needy[1]] == ["y"]


def test_signatures_are_those_of_the_operators_themselves(announced: Announced, operators: Any, make: Any) -> None:
    nodes = {"files": "source.files", "thumb": {"operator": "media.thumbnail", "config": {"crop": {"x": 2}}}}
    document = make(nodes, "files>thumb")
    assert compile_definition(document, announced) == compile_definition(document, operators)
    assert compile_definition(document, Catalogue(announced, operators)).plan is not None


def test_a_schema_that_is_none_is_reported_not_raised(make: Any) -> None:
    specs = [
        OperatorSpec(id="source.files", version="1", capabilities=frozenset({"source"})),
        OperatorSpec(id="a.b", version="1", config_schema={"type": "nonsense"}),
        OperatorSpec(id="c.d", version="1", config_schema={"$ref": "http://127.0.0.1:9/never-fetched.json"}),
    ]
    found = compile_definition(make({"files": "source.files", "b": "a.b", "d": "c.d"}, "files>b b>d"), Announced(specs))
    assert [(d.code, d.node) for d in found.diagnostics] == [("CONFIG_INVALID", "b"), ("CONFIG_INVALID", "d")]


@pytest.mark.timeout(60)
def test_ten_thousand_nodes_can_be_checked(announced: Announced, make: Any) -> None:
    nodes = {"files": "source.files"} | {
        f"n{i}": {"operator": "media.thumbnail", "config": {"size": i, "crop": {"x": 1}}} for i in range(9_999)
    }
    document = make(nodes, " ".join(f"files>n{i}" for i in range(9_999)))
    assert compile_definition(document, announced).plan is not None
