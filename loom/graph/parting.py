"""Which nodes of a definition send assets along their edges by more than one verdict: into buckets, or item by item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.graph.compiler import compile_definition
from loom.graph.plan import SOURCE
from loom.graph.specs import Operators


def parting(definition: Mapping[str, Any], operators: Operators) -> dict[str, frozenset[str]]:
    """Such nodes with those of their buckets that edges lead out of. Empty for a definition that is not sound, and
    where an operator is not known here."""
    plan = compile_definition(definition, operators, unknown_operators="warning").plan
    found: dict[str, frozenset[str]] = {}
    for step in () if plan is None else plan.steps:
        for edge in step.inbound:
            above = None if plan is None or edge.upstream == SOURCE else plan.steps[edge.upstream]
            if above is None:
                continue
            if edge.bucket is not None:
                found[above.node] = found.get(above.node, frozenset()) | {edge.bucket}
            elif edge.branch is not None and above.intake is not None and above.intake.fans_out:
                found.setdefault(above.node, frozenset())
    return found
