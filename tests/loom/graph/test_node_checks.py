from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from faceoperators import announced

from loom.graph.compiler import compile_definition
from loom.graph.specs import Lack


class Naming:
    """The announced operators from a source that says which nodes a config names, or should."""

    def __init__(self, named: Callable[[], tuple[str, ...] | None]) -> None:
        self._operators, self._named = announced(), named

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operators, name)

    def named_nodes(self, operator: str, config: Mapping[str, Any]) -> tuple[str, ...] | None:
        return self._named() if operator == "read.value" else None


def fails() -> tuple[str, ...]:
    raise RuntimeError("a defect of somebody's operator")


def ends() -> tuple[str, ...]:
    sys.exit(3)


@pytest.mark.parametrize(("named", "why"), [(fails, "RuntimeError: a defect"), (ends, "SystemExit: 3")])
def test_an_operator_that_cannot_tell_which_nodes_it_reads_is_a_problem(make: Any, named: Any, why: str) -> None:
    compiled = compile_definition(make({"files": "source.files", "a": "read.value"}, "files>a"), Naming(named))
    (one,) = compiled.diagnostics
    assert (one.code, one.node, one.field) == ("CONFIG_INVALID", "a", "config")
    assert why in one.message
    assert compiled.plan is None


def test_without_such_a_source_the_schema_says_which_nodes_are_read(make: Any) -> None:
    reads = {"operator": "read.value", "config": {"values": ["find.faces", "find.count"]}}
    document = make(
        {"files": "source.files", "find": "face.find", "other": "face.find", "a": reads},
        "files>find find>other other>a",
    )
    for operators in (announced(), Naming(lambda: None)):
        plan = compile_definition(document, operators).plan
        assert plan is not None
        assert list(plan.step("a").reads) == ["find"]


class Lacking:
    """The announced operators on a machine that lacks what `face.find` needs."""

    def __init__(self, tell: Callable[[], tuple[Lack, ...]]) -> None:
        self._operators, self._tell = announced(), tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._operators, name)

    def lacks(self, operator: str, config: Mapping[str, Any]) -> tuple[Lack, ...]:
        return self._tell() if operator == "face.find" else ()


@pytest.mark.parametrize(
    ("optional", "asked", "level"),
    [(False, "error", "error"), (False, "warning", "warning"), (True, "error", "warning")],
)
def test_what_the_machine_lacks_is_told_of_the_node(make: Any, optional: bool, asked: Any, level: str) -> None:
    document = make({"files": "source.files", "a": "face.find", "b": "face.main"}, "files>a files>b")
    operators = Lacking(lambda: (Lack("the model is not here", optional),))
    compiled = compile_definition(document, operators, lacking=asked)
    (one,) = compiled.diagnostics
    assert (one.level, one.code, one.node, one.message) == (level, "REQUIREMENT_MISSING", "a", "the model is not here")
    assert (compiled.plan is None) is (level == "error")


def test_a_node_that_is_switched_off_lacks_nothing(make: Any) -> None:
    operators = Lacking(lambda: (Lack("the model is not here", False),))
    for off in ({"enabled": False}, {"config": {"enabled": False}}):
        document = make({"files": "source.files", "a": {"operator": "face.find", **off}}, "files>a")
        assert compile_definition(document, operators, lacking="error").diagnostics == ()


@pytest.mark.parametrize("tell", [fails, ends])
def test_an_operator_that_cannot_tell_what_it_needs_is_a_problem(make: Any, tell: Any) -> None:
    compiled = compile_definition(make({"files": "source.files", "a": "face.find"}, "files>a"), Lacking(tell))
    (one,) = compiled.diagnostics
    assert (one.code, one.node, one.field) == ("CONFIG_INVALID", "a", "config")
    assert "cannot tell what it needs" in one.message
