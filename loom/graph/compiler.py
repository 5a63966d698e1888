"""Definition and catalogue in, a plan or every problem at once out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from loom.graph.codes import CODES, error
from loom.graph.definition import Pipeline, read
from loom.graph.diagnostics import Diagnostic
from loom.graph.draft import draft
from loom.graph.edge_checks import check_edges
from loom.graph.graph_checks import check_graph
from loom.graph.node_checks import Known, NodeChecks
from loom.graph.plan import Plan
from loom.graph.planning import make_plan
from loom.graph.port_checks import check_ports
from loom.graph.specs import Operators
from loom.model import Kind

__all__ = ["CODES", "RESERVED_NAMES", "Compiled", "compile_definition"]

RESERVED_NAMES = frozenset({"operators", "compile", "runtime", "events"})
"""Names that are addresses below `/pipelines`."""

_BARE = "graph"
"""What a graph without a name is called in its plan."""


class Compiled(NamedTuple):
    """The plan, unless there is an error or an unknown operator; and all that the compiler has to say."""

    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...]


def compile_definition(
    document: Mapping[str, Any] | Pipeline,
    operators: Operators,
    *,
    unknown_operators: Literal["error", "warning"] = "error",
    lacking: Literal["error", "warning"] = "warning",
) -> Compiled:
    """Compiles a definition, or a bare graph (an object with `nodes` and without `graph`). Never raises, whatever the
    document is. With `unknown_operators="warning"` a definition with such operators is sound but has no plan. `lacking`
    is for what a node needs and this machine does not have: "error" where the plan is to run here."""
    plain: Any = document.document() if isinstance(document, Pipeline) else document
    is_bare = isinstance(plain, Mapping) and "nodes" in plain and "graph" not in plain
    if is_bare:
        plain = {"name": _BARE, "graph": plain}
    reading = read(dict(plain) if isinstance(plain, Mapping) else plain, ("graph",) if is_bare else ())
    found = list(reading.problems)
    if not reading.sound:
        return Compiled(None, tuple(found))
    name = plain.get("name")
    if isinstance(name, str) and name in RESERVED_NAMES:
        found.append(error("NAME_RESERVED", f"{name!r} is an address of the API; choose another name", field="name"))
    known = _check(plain, operators, (unknown_operators, lacking), () if is_bare else ("graph",), found)
    if reading.pipeline is None or any(d.level == "error" for d in found):
        return Compiled(None, tuple(found))
    if any(node.id not in known.specs for node in reading.pipeline.graph.nodes):
        return Compiled(None, tuple(found))
    return Compiled(make_plan(reading.pipeline, known.specs, known.configs), tuple(found))


def _check(
    document: Mapping[str, Any],
    operators: Operators,
    levels: tuple[Literal["error", "warning"], Literal["error", "warning"]],
    where: tuple[str, ...],
    found: list[Diagnostic],
) -> Known:
    drafted = draft(document.get("graph"), where)
    nodes = NodeChecks(drafted, operators, *levels)
    found.extend(nodes)
    found.extend(check_edges(drafted, nodes.known))
    kinds = _kinds_of(document.get("match"))
    found.extend(check_ports(drafted, nodes.known, kinds))
    found.extend(check_graph(drafted, nodes.known, kinds))
    return nodes.known


def _kinds_of(match: object) -> frozenset[Kind]:
    """The kinds that the pipeline is for, as far as they can be made out; empty: every kind."""
    given = match.get("kinds") if isinstance(match, dict) else None
    names = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    return frozenset(kind for kind in Kind if kind.value in names)
