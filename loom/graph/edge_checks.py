"""What can be wrong with edges one by one: their ends, ports and labels."""

from __future__ import annotations

from collections.abc import Iterator

from loom.graph.codes import error, said, warning
from loom.graph.diagnostics import Diagnostic
from loom.graph.draft import Draft, DraftEdge
from loom.graph.node_checks import Known
from loom.graph.specs import OperatorSpec, Port
from loom.model import Branch


def check_edges(draft: Draft, known: Known) -> Iterator[Diagnostic]:
    """Everything that is wrong with the edges, in their order, then inputs that no edge leads into."""
    seen: dict[tuple[str, str, str, str, str | None], int] = {}
    for edge in draft.edges:
        for node, field in ((edge.source, "from.node"), (edge.target, "to.node")):
            if node is not None and node not in draft.nodes:
                yield error("EDGE_NODE_UNKNOWN", f"there is no node {said(node)}", edge=edge.position, field=field)
        if edge.source is not None and edge.target is not None:
            key = (edge.source, edge.from_port, edge.target, edge.to_port, edge.branch)
            if seen.setdefault(key, edge.position) != edge.position:
                yield error("EDGE_DUPLICATE", f"edge {seen[key]} is the same", edge=edge.position)
        for option in edge.options:
            yield warning(
                "EDGE_OPTION_UNUSED",
                f"{option!r} has no effect in a pipeline of assets",
                edge=edge.position,
                field=option,
            )
        source, target = known.specs.get(edge.source or ""), known.specs.get(edge.target or "")
        yield from _out_of(edge, source)
        yield from _into(edge, source, target)
    yield from _unconnected(draft, known)


def _out_of(edge: DraftEdge, source: OperatorSpec | None) -> Iterator[Diagnostic]:
    if source is None:
        return
    if _port(source.outputs, edge.from_port) is None:
        yield error("PORT_UNKNOWN", _no_port(source, "output", edge.from_port), edge=edge.position, field="from.port")
    if source.is_source and edge.branch is not None:
        message = f"{said(edge.source)} is the source, which gives no verdict: leave out the label"
        yield error("BRANCH_IMPOSSIBLE", message, edge=edge.position, field="branch")
    elif edge.branch == Branch.FAIL and source.verdicts is False:
        message = f"{said(edge.source)} ({source.id}) never gives FAIL; for its errors use ERROR"
        yield error("BRANCH_IMPOSSIBLE", message, edge=edge.position, field="branch")
    elif edge.branch is None and source.verdicts is True:
        message = f"{said(edge.source)} is a filter: label the edge PASS or FAIL; without a label it is taken as PASS"
        yield warning("EDGE_UNLABELLED", message, edge=edge.position, field="branch")


def _into(edge: DraftEdge, source: OperatorSpec | None, target: OperatorSpec | None) -> Iterator[Diagnostic]:
    if target is None:
        return
    if target.is_source:
        message = f"{said(edge.target)} is a source; nothing can lead into it"
        yield error("EDGE_INTO_SOURCE", message, edge=edge.position, field="to.node")
        return
    port = _port(target.inputs, edge.to_port)
    if port is None:
        yield error("PORT_UNKNOWN", _no_port(target, "input", edge.to_port), edge=edge.position, field="to.port")
        return
    given = None if source is None else _port(source.outputs, edge.from_port)
    if given is not None and not _fit(given.content_type, port.content_type):
        message = f"{said(edge.source)} gives {given.content_type}, {said(edge.target)} takes {port.content_type}"
        yield error("PORT_MISMATCH", message, edge=edge.position, field="to.port")


def _unconnected(draft: Draft, known: Known) -> Iterator[Diagnostic]:
    connected = {(edge.target, edge.to_port) for edge in draft.edges}
    for node, spec in known.specs.items():
        for port in () if spec.is_source else spec.inputs:
            if port.required and (node, port.id) not in connected:
                yield error("INPUT_UNCONNECTED", f"no edge leads into its input {port.id!r}", node=node)


def _port(ports: tuple[Port, ...], wanted: str) -> Port | None:
    return next((port for port in ports if port.id == wanted), None)


def _no_port(spec: OperatorSpec, side: str, wanted: str) -> str:
    ports = spec.outputs if side == "output" else spec.inputs
    there = f"; there is {', '.join(port.id for port in ports)}" if ports else ""
    return f"{spec.id} has no {side} {said(wanted)}{there}"


def _fit(one: str, other: str) -> bool:
    """Content types have something in common: they are equal, or one stands for a family that holds the other."""
    if one == other or "*" in (one, other):
        return True
    family, _, kind = one.partition("/")
    other_family, _, other_kind = other.partition("/")
    return family == other_family and "*" in (kind, other_kind)
