"""What a node may give: values that are JSON that every program reads as it was given, derived files, a verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar, get_origin

import msgspec

from loom.errors import LoomError
from loom.graph.specs import OutputSpec
from loom.model import Branch
from loom.parts import Parts

T = TypeVar("T")

MAX_OUTPUT = 64 * 1024
"""The most bytes of JSON that one output value may have; larger things are artifacts."""

MAX_DEPTH = 99
"""How deeply one output value may be nested: the outputs of a node, one level more, go through others as JSON."""

MAX_INTEGER = 2**53 - 1
"""Integers beyond are read as others by programs whose numbers are all floating point, such as a browser (RFC 7493,
section 2.2)."""


class OutputKey(Generic[T]):
    """A typed key under which a node gives a value that is JSON: str, int, float, bool, list, dict or None."""

    def __init__(self, name: str, type: type[T], description: str = "") -> None:  # noqa: A002
        self.name = name
        self.type = type
        self.description = description
        expected: Any = get_origin(type) or type
        self.accepts: tuple[Any, ...] = (int, float) if expected is float else (expected,)

    @property
    def spec(self) -> OutputSpec:
        return OutputSpec(key=self.name, type=_JSON_TYPES.get(self.type, "any"), description=self.description)


_JSON_TYPES: dict[Any, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object",
}  # fmt: skip


def part_of(value: Any, path: Iterable[str]) -> Any:
    """What an object has under a key, in that under another, and so on; None where it has nothing."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def check(name: str, value: object) -> None:
    """Raises `OUTPUT_INVALID` for a value that would be stored as another, is too large or nested too deeply."""
    if value is None or value is True or value is False:
        return
    kind = type(value)
    if kind is int or kind is float:  # of all that is given the most, and quickly told
        fault = _scalar_fault(value)
    else:
        _check_size(name, value)
        fault = None if kind is str else _fault(value)
    if fault is not None:
        raise LoomError("OUTPUT_INVALID", f"output {name!r} {fault}")


def check_name(name: object) -> None:
    """Raises `OUTPUT_INVALID` for what cannot be the name of a derived file."""
    try:
        usable = isinstance(name, str) and "\0" not in name and bool(name.encode())
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise LoomError("OUTPUT_INVALID", f"a derived file cannot be called {name!r}")


_TOO_DEEP = f"is nested more than {MAX_DEPTH} deep"


def _check_size(name: str, value: object) -> None:
    try:
        size = len(msgspec.json.encode(value))
    except RecursionError:
        raise LoomError("OUTPUT_INVALID", f"output {name!r} {_TOO_DEEP}") from None
    except (TypeError, ValueError) as error:
        raise LoomError("OUTPUT_INVALID", f"output {name!r} is not JSON: {error}") from error
    if size > MAX_OUTPUT:
        raise LoomError("OUTPUT_INVALID", f"output {name!r} has {size} bytes of JSON, more than {MAX_OUTPUT}")


def _fault(value: object) -> str | None:
    """What keeps a value from being plain JSON, as the end of a sentence."""
    level, depth = [value], 0
    while level:
        inner: list[object] = []
        for one in level:
            if not isinstance(one, (dict, list, tuple)):
                if (fault := _scalar_fault(one)) is not None:
                    return fault
            elif depth == MAX_DEPTH:
                return _TOO_DEEP
            elif not isinstance(one, dict):
                inner.extend(one)
            elif all(isinstance(key, str) for key in one):
                inner.extend(one.values())
            else:
                return "has a key that is not a text"
        level, depth = inner, depth + 1
    return None


def _scalar_fault(value: object) -> str | None:
    if isinstance(value, int):
        if -MAX_INTEGER <= value <= MAX_INTEGER:
            return None
        return "holds an integer of more than 53 bits, which not every program reads as it is; give it as a text"
    if isinstance(value, float):
        return None if math.isfinite(value) else "holds NaN or an infinity, which are not JSON"
    if value is None or isinstance(value, str):
        return None
    return f"holds a value of the type {type(value).__name__}, which is not JSON"


class ProducedArtifact(NamedTuple):
    """A derived file as a node made it."""

    name: str
    data: bytes
    media_type: str


class LargeArtifact(NamedTuple):
    """A derived file that is too large for memory."""

    name: str
    parts: Parts
    media_type: str


def check_handed(name: str, size: int, most: int) -> None:
    """Raises `FILE_TOO_LARGE` for a derived file of more than `most` bytes, which is not handed on to other nodes."""
    if size > most:
        raise LoomError("FILE_TOO_LARGE", f"the derived file {name!r} has {size:,} bytes: {most:,} can be handed on")


class Result(NamedTuple):
    """What `MediaNode.exists_result` gives: outputs by the names of their keys, and the verdict."""

    outputs: Mapping[str, Any] = {}
    verdict: Branch = Branch.PASS

    def checked(self, keys: Mapping[str, OutputKey[Any]]) -> Result:
        """The same, with outputs that may be stored. Raises `OUTPUT_INVALID` as `NodeContext.output` and `verdict`;
        `keys` are those that the operator's class declares."""
        for name, value in self.outputs.items():
            check_output(keys.get(name), name, value)
        return Result(dict(self.outputs), as_verdict(self.verdict))


def check_output(key: OutputKey[Any] | None, name: str, value: object) -> None:
    """Raises `OUTPUT_INVALID` for a value that may not be given under `key`, which is called `name`."""
    if key is None:
        raise LoomError(
            "OUTPUT_INVALID", f"output {name!r} is not declared: the operator's class has no OutputKey of it"
        )
    if not isinstance(value, key.accepts):
        raise LoomError("OUTPUT_INVALID", f"output {name!r} is not a {key.accepts[-1].__name__}")
    check(name, value)


def as_verdict(given: str) -> Branch:
    """Raises `OUTPUT_INVALID` for what is neither PASS nor FAIL."""
    if given is Branch.PASS or given is Branch.FAIL:
        return given
    if given not in (Branch.PASS, Branch.FAIL):
        raise LoomError("OUTPUT_INVALID", f"a verdict is PASS or FAIL, not {given!r}; raise an error to take ERROR")
    return Branch(given)
