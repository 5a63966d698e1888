"""What can be wrong with what goes through ports: types, and one or many."""

from __future__ import annotations

from collections.abc import Iterator

from loom.graph.carrying import Carrying, Giver, Wire, gives
from loom.graph.codes import error, said
from loom.graph.diagnostics import Diagnostic
from loom.graph.draft import Draft
from loom.graph.graph_checks import MAX_READS
from loom.graph.node_checks import Known
from loom.graph.ports import ASSET, family, find, fit, takes_asset, takes_files, value_input
from loom.graph.presence import Fed, check_files
from loom.graph.specs import OperatorSpec, Port
from loom.model import Kind

_MAX_SHOWN = 3
_ANYTHING = ("*", f"{ASSET}/*")
"""Inputs into which every edge may lead: it carries the asset along."""


def check_ports(draft: Draft, known: Known, kinds: frozenset[Kind] = frozenset()) -> Iterator[Diagnostic]:
    """Edges into ports that do not take what comes along them, and inputs for derived files that some assets lack.
    `kinds` are those that the pipeline is for; empty: every kind."""
    checks = _PortChecks(draft, known)
    yield from checks.found()
    if fed := checks.fed_with_files():
        yield from check_files(draft, known, fed, kinds)


class _PortChecks:
    def __init__(self, draft: Draft, known: Known) -> None:
        self._draft = draft
        self._ids = list(draft.nodes)
        number = {node: index for index, node in enumerate(self._ids)}
        self._specs = [known.specs.get(node) for node in self._ids]
        self._wires = {
            edge.position: Wire(number[edge.source], edge.from_port, number[edge.target], edge.to_port)
            for edge in draft.edges
            if edge.source in number and edge.target in number
        }
        self._carrying = Carrying(self._specs, list(self._wires.values()))
        self._fitting: dict[tuple[str, str], str] = {}

    def found(self) -> Iterator[Diagnostic]:
        looked_at = 0
        for position, wire in self._wires.items():
            target = self._specs[wire.target]
            port = None if target is None or target.is_source else find(target.inputs, wire.to_port)
            if port is None or port.content_type in _ANYTHING:
                continue
            givers = self._carrying.along(wire)
            looked_at += len(givers or ())
            if looked_at > MAX_READS:
                yield error("TOO_LARGE", f"more than {MAX_READS:,} outputs stand behind the inputs for values in all")
                return
            if givers:
                yield from self._into(position, wire, port, givers)

    def fed_with_files(self) -> list[Fed]:
        """The nodes that take derived files, and where these come from."""
        return [
            Fed(self._ids[node], port, [(self._ids[giver.node], giver.port) for giver in givers])
            for node, spec in enumerate(self._specs)
            if spec is not None and (port := value_input(spec)) is not None and takes_files(port)
            if (givers := self._carrying.feeds(node))
        ]

    def _into(self, position: int, wire: Wire, port: Port, givers: list[Giver]) -> Iterator[Diagnostic]:
        if takes_asset(port):
            types = [giver.port.content_type for giver in givers]
            if all(family(one) == ASSET and not fit(one, port.content_type) for one in types):
                yield self._mismatch(position, wire, port, givers)
            return
        fitting = [giver for giver in givers if gives(giver.port, port)]
        if not fitting:
            yield self._mismatch(position, wire, port, givers)
        elif port.cardinality == "many" and not takes_files(port) and not any(giver.depth for giver in fitting):
            gift = fitting[0]
            message = (
                f"{said(self._ids[gift.node])} gives one {gift.port.content_type} for an asset, and the input"
                f" {port.id!r} of {said(self._ids[wire.target])} takes a list of them{self._would_fit(port)}"
            )
            yield self._error("CARDINALITY_MISMATCH", message, position, wire)

    def _mismatch(self, position: int, wire: Wire, port: Port, givers: list[Giver]) -> Diagnostic:
        given = " and ".join(dict.fromkeys(giver.port.content_type for giver in givers[:_MAX_SHOWN])) or "nothing"
        message = (
            f"{said(self._ids[wire.source])} gives {given}, and the input {port.id!r} of"
            f" {said(self._ids[wire.target])} takes {port.content_type}{self._would_fit(port)}"
        )
        return self._error("PORT_MISMATCH", message, position, wire)

    def _would_fit(self, port: Port) -> str:
        key = port.content_type, port.cardinality
        if key not in self._fitting:
            self._fitting[key] = self._look_for(port)
        return self._fitting[key]

    def _look_for(self, port: Port) -> str:
        """What else of this pipeline would do, as the end of a sentence."""
        there = [
            f"{node}, output {output.id}"
            for node, spec in zip(self._ids, self._specs, strict=True)
            for output in (() if spec is None else spec.outputs)
            if _would_do(spec, output, port)
        ]
        if not there:
            return f"; an output of {port.content_type} would fit, and no node here has one"
        more = f" and {len(there) - _MAX_SHOWN} more" if len(there) > _MAX_SHOWN else ""
        return f"; what would fit: {'; '.join(there[:_MAX_SHOWN])}{more}"

    def _error(self, code: str, message: str, position: int, wire: Wire) -> Diagnostic:
        return error(code, message, node=self._ids[wire.target], edge=position, field="to.port")


def _would_do(spec: OperatorSpec | None, output: Port, wanted: Port) -> bool:
    if spec is None or output.passes is not None:
        return False
    if takes_asset(wanted):
        return family(output.content_type) == ASSET and fit(output.content_type, wanted.content_type)
    return gives(output, wanted) and (wanted.cardinality == "one" or output.cardinality == "many")
