"""What can be wrong with edges one by one: their ends, ports and labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from loom.graph.codes import error, said, warning
from loom.graph.diagnostics import Diagnostic
from loom.graph.draft import Draft, DraftEdge
from loom.graph.node_checks import Known
from loom.graph.ports import buckets, find
from loom.graph.specs import OperatorSpec
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
        yield from _out_of(edge, source, known.configs.get(edge.source or "", {}))
        yield from _into(edge, target)
    yield from _unconnected(draft, known)


def _out_of(edge: DraftEdge, source: OperatorSpec | None, config: dict[str, Any]) -> Iterator[Diagnostic]:
    if source is None:
        return
    if find(source.outputs, edge.from_port) is None:
        yield error("PORT_UNKNOWN", _no_port(source, "output", edge.from_port), edge=edge.position, field="from.port")
    if source.is_source and edge.branch is not None:
        message = f"{said(edge.source)} is the source, which gives no verdict: leave out the label"
        yield error("BRANCH_IMPOSSIBLE", message, edge=edge.position, field="branch")
    elif edge.branch == Branch.FAIL and source.verdicts is False:
        message = f"{said(edge.source)} ({source.id}) never gives FAIL; for its errors use ERROR"
        yield error("BRANCH_IMPOSSIBLE", message, edge=edge.position, field="branch")
    elif edge.branch is None and source.verdicts is True and edge.from_port not in buckets(source, config):
        message = (
            f"{said(edge.source)} is a filter: label the edge PASS or FAIL; without one, what it rejects goes on too"
        )
        yield warning("EDGE_UNLABELLED", message, edge=edge.position, field="branch")


def _into(edge: DraftEdge, target: OperatorSpec | None) -> Iterator[Diagnostic]:
    if target is None:
        return
    if target.is_source:
        message = f"{said(edge.target)} is a source; nothing can lead into it"
        yield error("EDGE_INTO_SOURCE", message, edge=edge.position, field="to.node")
    elif find(target.inputs, edge.to_port) is None:
        yield error("PORT_UNKNOWN", _no_port(target, "input", edge.to_port), edge=edge.position, field="to.port")


def _unconnected(draft: Draft, known: Known) -> Iterator[Diagnostic]:
    connected = {(edge.target, edge.to_port) for edge in draft.edges}
    for node, spec in known.specs.items():
        for port in () if spec.is_source else spec.inputs:
            if port.required and (node, port.id) not in connected:
                yield error("INPUT_UNCONNECTED", f"no edge leads into its input {port.id!r}", node=node)


def _no_port(spec: OperatorSpec, side: str, wanted: str) -> str:
    ports = spec.outputs if side == "output" else spec.inputs
    there = f"; there is {', '.join(port.id for port in ports)}" if ports else ""
    return f"{spec.id} has no {side} {said(wanted)}{there}"
