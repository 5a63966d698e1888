"""What comes along edges: which outputs stand behind an input, through nodes that hand on what they get, and which
nodes are computed once for each item of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from loom.graph.order import bits, breadth_first, successors
from loom.graph.ports import ARTIFACT, ASSET, family, find, fit, takes_asset, value_input
from loom.graph.specs import OperatorSpec, Port


class Wire(NamedTuple):
    """An edge between nodes that are known by their numbers."""

    source: int
    from_port: str
    target: int
    to_port: str


class Giver(NamedTuple):
    """An output that stands behind an input. `depth`: its key holds a value (0), a list of values (1), or a list of
    such lists (2)."""

    node: int
    port: Port
    depth: int


class Carrying:
    """`specs` are by node, None for a node of which nothing is known. Nodes on a cycle get nothing."""

    def __init__(self, specs: Sequence[OperatorSpec | None], wires: Sequence[Wire]) -> None:
        self._specs = specs
        self._givers: list[Giver] = []
        self._numbers: dict[tuple[int, str], int] = {}
        self._behind: dict[tuple[int, str], int] = {}
        self._unknown: set[tuple[int, str]] = set()
        self.fanned: set[int] = set()
        """Nodes that are computed once for each item of what comes in."""
        into: list[list[Wire]] = [[] for _ in specs]
        for wire in wires:
            into[wire.target].append(wire)
        for node in breadth_first(successors(len(specs), ((w.source, w.target) for w in wires))):
            self._enter(node, into[node])

    def behind(self, node: int, port: str) -> list[Giver]:
        """All outputs that stand behind an input, whether or not they fit."""
        return [self._givers[number] for number in bits(self._behind.get((node, port), 0))]

    def along(self, wire: Wire) -> list[Giver] | None:
        """The outputs that stand behind one edge; None when an unknown node is among what they could be."""
        mask = self._mask(wire)
        return None if mask is None else [self._givers[number] for number in bits(mask)]

    def feeds(self, node: int) -> list[Giver]:
        """The outputs whose values come in at the input for values."""
        port = self._value_input(node)
        if port is None:
            return []
        return [giver for giver in self.behind(node, port.id) if gives(giver.port, port)]

    def _enter(self, node: int, wires: Sequence[Wire]) -> None:
        for wire in wires:
            key, mask = (node, wire.to_port), self._mask(wire)
            if mask is None:
                self._unknown.add(key)
            else:
                self._behind[key] = self._behind.get(key, 0) | mask
        port = self._value_input(node)
        if port is not None and port.cardinality == "one" and any(giver.depth for giver in self.feeds(node)):
            self.fanned.add(node)

    def _value_input(self, node: int) -> Port | None:
        spec = self._specs[node]
        return None if spec is None else value_input(spec)

    def _mask(self, wire: Wire) -> int | None:
        """The numbers of the outputs behind an edge, as bits; None when they cannot be told."""
        spec = self._specs[wire.source]
        port = None if spec is None else find(spec.outputs, wire.from_port)
        if port is None:
            return None
        if port.passes is not None:
            key = wire.source, port.passes
            return None if key in self._unknown else self._behind.get(key, 0)
        number = self._numbers.get((wire.source, port.id))
        if number is None:
            number = self._numbers[wire.source, port.id] = len(self._givers)
            depth = (port.cardinality == "many") + (wire.source in self.fanned)
            if spec is not None and spec.is_source:  # it has no outputs that could be read
                port = msgspec.structs.replace(port, content_type=f"{ASSET}/*")
            self._givers.append(Giver(wire.source, port, depth))
        return 1 << number


def gives(output: Port, wanted: Port) -> bool:
    """Whether the output has values for this input."""
    if takes_asset(wanted) or family(output.content_type) in (ASSET, ARTIFACT, "*"):
        return False
    return fit(output.content_type, wanted.content_type)
