"""Finds operators. Those that come with the product and those of others are found the same way: by the entry-point
group `cortex.operators`, each entry naming an operator's id and its class. A class is imported when its id is asked
for, not before."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, distributions
from typing import Any, NamedTuple

from pydantic import ValidationError

from cortex.contract import NotAnOperatorError, describe, normalise
from cortex.node import MediaNode
from cortex.requirements import missing, sentences
from loom.errors import LoomError
from loom.graph.specs import ConfigProblem, Lack, OperatorSpec, Requirement

GROUP = "cortex.operators"


class Problem(NamedTuple):
    """An entry point that offers no operator: `str` of it is a line for a person."""

    operator: str
    distribution: str
    message: str

    def __str__(self) -> str:
        return f"{self.operator} of {self.distribution}: {self.message}"


class EntryPointCatalogue:
    """The operators that are installed in this environment."""

    def __init__(self) -> None:
        self._entries, self._clashes = _find_entries()
        self._classes: dict[str, type[MediaNode[Any]]] = {}
        self._specs: dict[str, OperatorSpec] = {}
        self._broken: dict[str, Problem] = {}

    def ids(self) -> list[str]:
        """The ids on offer, whether or not their classes can be imported."""
        return sorted(self._entries)

    def spec(self, operator: str) -> OperatorSpec | None:
        """The contract of an operator, None for one that is unknown or broken (`why_unknown` tells)."""
        if operator not in self._specs and operator in self._entries and operator not in self._broken:
            self._load(operator)
        return self._specs.get(operator)

    def why_unknown(self, operator: str) -> str | None:
        """A sentence about an operator that is on offer but broken; None for one that works or that nobody offers."""
        self.spec(operator)
        return str(self._broken[operator]) if operator in self._broken else None

    def normalise(self, operator: str, config: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[ConfigProblem, ...]]:
        """The config with its defaults as plain JSON values, or what is wrong with it. Raises `KeyError` for an
        operator without a spec."""
        if self.spec(operator) is None:
            raise KeyError(operator)
        return normalise(self._classes[operator].options_model, config)

    def create(self, operator: str, config: Mapping[str, Any], node_id: str) -> MediaNode[Any]:
        """An instance for running. Raises `REQUIREMENT_MISSING` for an operator that is not to be had here,
        `CONFIG_INVALID` for a config that it refuses."""
        if self.spec(operator) is None:
            why = self.why_unknown(operator) or f"the operator {operator!r} is not installed here"
            raise LoomError("REQUIREMENT_MISSING", why)
        try:
            return self._classes[operator](id=node_id, **config)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise LoomError("CONFIG_INVALID", f"node {node_id!r}, {where or 'config'}: {first['msg']}") from error

    def named_nodes(self, operator: str, config: Mapping[str, Any]) -> tuple[str, ...] | None:
        """The nodes that a config (in normal form) names; None when `reads` of the class holds."""
        cls = self._classes.get(operator)
        if cls is None or cls.named_nodes is MediaNode.named_nodes:
            return None
        return self.create(operator, config, operator.rpartition(".")[2]).named_nodes()

    def lacks(self, operator: str, config: Mapping[str, Any]) -> tuple[Lack, ...]:
        """What this machine does not have of what a node with this config (in normal form) needs; also that the
        operator cannot tell. Raises `KeyError` for an operator without a spec."""
        try:
            needs = self.requirements(operator, config)
        except LoomError as error:
            return (Lack(error.message, False),)
        return tuple(Lack(f"{operator} needs more: {said}", optional) for said, optional in sentences(missing(needs)))

    def requirements(self, operator: str, config: Mapping[str, Any]) -> tuple[Requirement, ...]:
        """What a node with this config needs. Raises as `create`, `OPERATOR_FAILED` where its class does not tell, and
        `KeyError` for an operator without a spec."""
        if (spec := self.spec(operator)) is None:
            raise KeyError(operator)
        if self._classes[operator].requirements is MediaNode.requirements:
            return spec.requires
        try:
            return tuple(self.create(operator, config, operator.rpartition(".")[2]).requirements())
        except LoomError:
            raise
        except (Exception, SystemExit) as error:
            said = f"{operator} cannot tell what it needs: {type(error).__name__}: {error}"
            raise LoomError("OPERATOR_FAILED", said) from error

    def problems(self) -> list[Problem]:
        """The entry points that cannot be imported or are not operators, and ids that are offered twice."""
        for operator in self._entries:
            self.spec(operator)
        return sorted([*self._clashes, *self._broken.values()])

    def _load(self, operator: str) -> None:
        distribution, entry = self._entries[operator]
        try:
            cls = entry.load()
            self._specs[operator] = describe(operator, cls)
            self._classes[operator] = cls
        except NotAnOperatorError as error:
            self._broken[operator] = Problem(operator, distribution, f"{entry.value} {error}")
        except (Exception, SystemExit) as error:
            message = f"{entry.value} cannot be loaded: {type(error).__name__}: {error}"
            self._broken[operator] = Problem(operator, distribution, message)


def _find_entries() -> tuple[dict[str, tuple[str, EntryPoint]], list[Problem]]:
    """The entry point of each id with the name of its distribution: the first by that name when several offer it."""
    offers: dict[str, list[EntryPoint]] = {}
    for distribution in distributions():
        if GROUP in (distribution.read_text("entry_points.txt") or ""):
            offers.setdefault(distribution.name, list(distribution.entry_points.select(group=GROUP)))
    entries: dict[str, tuple[str, EntryPoint]] = {}
    problems: list[Problem] = []
    for name in sorted(offers):
        for entry in offers[name]:
            if entry.name in entries:
                problems.append(Problem(entry.name, name, f"{entries[entry.name][0]} offers this id too and is used"))
            else:
                entries[entry.name] = (name, entry)
    return entries, problems


@cache
def load() -> EntryPointCatalogue:
    """The catalogue of this process, found once; the entry-point group `loom.catalogues` names this function."""
    return EntryPointCatalogue()
