"""How many files may be in an operator, or at a resource, at a time: names, and which steps they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from loom.graph.plan import Plan
from loom.graph.specs import OperatorSpec

JOBS = "jobs"
"""The name under which the worker processes together are limited."""


class Operators(Protocol):
    def spec(self, operator: str) -> OperatorSpec | None: ...


class Limited(NamedTuple):
    """A name that may have a limit, and the steps in worker processes that count for it, each by lane and index."""

    name: str
    steps: frozenset[tuple[int, int]]


def limited_steps(plans: Sequence[Plan], operators: Operators) -> tuple[Limited, ...]:
    """What can be limited in worker processes: the operators of the sandboxed steps and their capabilities."""
    found: dict[str, set[tuple[int, int]]] = {}
    for lane, plan in enumerate(plans):
        for step in plan.steps:
            if step.sandboxed:
                spec = operators.spec(step.operator)
                for name in names_of(step.operator, spec.capabilities if spec is not None else ()):
                    found.setdefault(name, set()).add((lane, step.index))
    return tuple(Limited(name, frozenset(steps)) for name, steps in sorted(found.items()))


def names_of(operator: str, capabilities: Iterable[str]) -> tuple[str, ...]:
    """The names that a node of an operator counts for."""
    return tuple(sorted({operator, *capabilities}))


def smallest(*limits: Mapping[str, int]) -> dict[str, int]:
    """The limits that hold where several say something."""
    found: dict[str, int] = {}
    for one in limits:
        for name, number in one.items():
            found[name] = min(number, found.get(name, number))
    return found
