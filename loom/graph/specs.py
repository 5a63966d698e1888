"""What an operator says of itself, as plain data, and the catalogue of operators."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from loom.model import Kind

Cardinality = Literal["one", "many"]

BESIDE = frozenset({"source", "effect", "network", "database"})
"""Capabilities of operators that do not run in the sandbox, where the bytes of files are."""


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """Where values enter or leave an operator. `content_type` is a family and a type, such as `media/image`; `*` in
    place of the type stands for the whole family, and `media` for the asset itself, which every edge carries along.

    `cardinality` `many`: a list of such values. An output says with `key` under which key of its operator's outputs
    the value, or the list, stands (None: all outputs are one value); with `passes` that it hands on what comes in at
    that input. Of the family `artifact` are derived files: `key` is their name then, `*` in it standing for anything
    (None: whatever the operator makes); an output for one has the first by name, an output for many all of them.
    """

    id: str
    content_type: str = "media/*"
    required: bool = True
    description: str = ""
    cardinality: Cardinality = "one"
    key: str | None = None
    passes: str | None = None


class OutputSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One key under which an operator gives a value. `type` is the JSON type's name, such as `string` or `integer`."""

    key: str
    type: str
    description: str = ""


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """Something an operator needs on the machine: a Python `package` (by the name under which it is imported), a
    `program` or a `model` (the path of a file). `extra` is the extra of this product that brings it, `install` what to
    type where there is none. `optional`: some assets go without it."""

    kind: str
    name: str
    extra: str | None = None
    install: str | None = None
    optional: bool = False


class OperatorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The contract of an operator.

    `kinds` empty: every kind. `reads` is `None` when undeclared (all ancestors); `takes` are the values of nodes, as
    `node.key`, that it declares to read. `buckets` is the option whose items' names are output ports besides `outputs`
    (`loom.graph.ports`). `verdicts`: True for a filter (may
    give FAIL), False when the verdict is always PASS, None when unknown. Known capabilities: `source`, `effect` (its
    signature includes pipeline and node), `network`, `database`, `gpu`, `anew` (no stored result is used); an operator
    with `effect`, `network` or `database` runs beside the sandbox, without the bytes.
    """

    id: str
    version: str
    summary: str = ""
    description: str = ""
    inputs: tuple[Port, ...] = (Port(id="in"),)
    outputs: tuple[Port, ...] = (Port(id="out"),)
    values: tuple[OutputSpec, ...] = ()
    config_schema: dict[str, Any] = {}
    kinds: frozenset[Kind] = frozenset()
    reads: tuple[str, ...] | None = None
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    buckets: str | None = None
    verdicts: bool | None = None
    capabilities: frozenset[str] = frozenset()
    requires: tuple[Requirement, ...] = ()

    @property
    def is_source(self) -> bool:
        return "source" in self.capabilities

    @property
    def sandboxed(self) -> bool:
        return not self.capabilities & BESIDE


class ConfigProblem(msgspec.Struct, frozen=True):
    """One thing wrong with a node's config; `field` is a dotted path, empty for the config as a whole."""

    field: str
    message: str


class Lack(NamedTuple):
    """Something that a node needs and this machine does not have; `optional`: some assets go without it."""

    message: str
    optional: bool


class Operators(Protocol):
    """Where specs come from. `normalise` returns the config with every default filled in (and `enabled` among them)
    as plain JSON values, or what is wrong with it.

    Three more are asked where a source has them: `why_unknown(operator)`; `named_nodes(operator, config)`, the ids of
    the nodes that a config names, so that exactly those are read (None when it cannot be told from the config); and
    `lacks(operator, config)`, each `Lack` of this machine for a config in normal form.
    """

    def ids(self) -> Iterable[str]: ...

    def spec(self, operator: str) -> OperatorSpec | None: ...

    def normalise(
        self, operator: str, config: Mapping[str, Any]
    ) -> tuple[dict[str, Any], tuple[ConfigProblem, ...]]: ...


class Catalogue:
    """The union of several sources of operators; the first one that knows an id answers for it."""

    def __init__(self, *sources: Operators) -> None:
        self._sources = sources

    def ids(self) -> list[str]:
        return sorted({operator for source in self._sources for operator in source.ids()})

    def spec(self, operator: str) -> OperatorSpec | None:
        return next((spec for source in self._sources if (spec := source.spec(operator)) is not None), None)

    def why_unknown(self, operator: str) -> str | None:
        """What a source says about an operator that it would offer if it could be loaded; None when none says so."""
        asked = (getattr(source, "why_unknown", None) for source in self._sources)
        return next((reason for ask in asked if ask is not None and (reason := ask(operator)) is not None), None)

    def named_nodes(self, operator: str, config: Mapping[str, Any]) -> tuple[str, ...] | None:
        """The nodes that this config names; None when its source cannot tell."""
        for source in self._sources:
            if source.spec(operator) is not None:
                ask = getattr(source, "named_nodes", None)
                return None if ask is None else ask(operator, config)
        return None

    def lacks(self, operator: str, config: Mapping[str, Any]) -> tuple[Lack, ...]:
        """What this machine does not have of what a node with this config needs, as far as its source can tell."""
        for source in self._sources:
            if source.spec(operator) is not None:
                ask = getattr(source, "lacks", None)
                return () if ask is None else ask(operator, config)
        return ()

    def __iter__(self) -> Iterator[OperatorSpec]:
        return (spec for operator in self.ids() if (spec := self.spec(operator)) is not None)

    def normalise(self, operator: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[ConfigProblem, ...]]:
        for source in self._sources:
            if source.spec(operator) is not None:
                return source.normalise(operator, config)
        raise KeyError(operator)
