"""What comes along edges: which outputs stand behind an input, through nodes that hand on what they get, which nodes
are computed once for each item of a list, and which items of a list come along an edge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from loom.graph.order import bits, breadth_first, successors
from loom.graph.ports import ASSET, family, find, fit, takes_asset, value_input
from loom.graph.specs import OperatorSpec, Port
from loom.model import Branch


class Wire(NamedTuple):
    """An edge between nodes that are known by their numbers; `bucket` when it leaves the port of a bucket."""

    source: int
    from_port: str
    target: int
    to_port: str
    branch: str | None = None
    bucket: str | None = None


class Turn(NamedTuple):
    """An edge out of a node that is computed for each item, along which only some of them go."""

    node: int
    branch: str | None
    bucket: str | None


class Giver(NamedTuple):
    """An output that stands behind an input. `depth`: its key holds a value (0), a list of values (1), or a list of
    such lists (2). `turns`: only items come that took one of them; without any, all do."""

    node: int
    port: Port
    depth: int
    turns: frozenset[Turn] = frozenset()


class Carrying:
    """`specs` are by node, None for a node of which nothing is known. Nodes on a cycle get nothing."""

    def __init__(self, specs: Sequence[OperatorSpec | None], wires: Sequence[Wire]) -> None:
        self._specs = specs
        self._givers: list[Giver] = []
        self._numbers: dict[tuple[int, str], int] = {}
        self._behind: dict[tuple[int, str], int] = {}
        self._turns: dict[tuple[int, str], dict[int, frozenset[Turn]]] = {}
        self._unknown: set[tuple[int, str]] = set()
        self.fanned: set[int] = set()
        """Nodes that are computed once for each item of what comes in."""
        into: list[list[Wire]] = [[] for _ in specs]
        for wire in wires:
            into[wire.target].append(wire)
        for node in breadth_first(successors(len(specs), ((w.source, w.target) for w in wires))):
            self._enter(node, into[node])

    def along(self, wire: Wire) -> list[Giver] | None:
        """The outputs that stand behind one edge, whether or not they fit; None when an unknown node is among what
        they could be."""
        mask = self._mask(wire)
        return None if mask is None else [self._givers[number] for number in bits(mask)]

    def feeds(self, node: int) -> list[Giver]:
        """The outputs whose values come in at the input for values."""
        port = self._value_input(node)
        if port is None:
            return []
        turns = self._turns.get((node, port.id), {})
        return [self._givers[n]._replace(turns=turns.get(n, frozenset())) for n in self._feeding(node, port)]

    def _feeding(self, node: int, port: Port) -> list[int]:
        behind = bits(self._behind.get((node, port.id), 0))
        return [number for number in behind if gives(self._givers[number].port, port)]

    def _enter(self, node: int, wires: Sequence[Wire]) -> None:
        whole: dict[tuple[int, str], int] = {}
        for wire in wires:
            key, mask = (node, wire.to_port), self._mask(wire)
            if mask is None:
                self._unknown.add(key)
                continue
            self._behind[key] = self._behind.get(key, 0) | mask
            thinned = self._thinned(wire)
            for number, turns in thinned.items():
                there = self._turns.setdefault(key, {})
                there[number] = there.get(number, frozenset()) | turns
            whole[key] = whole.get(key, 0) | (mask & ~sum(1 << number for number in thinned))
        for key, mask in whole.items():
            for number in [number for number in self._turns.get(key, ()) if mask >> number & 1]:
                del self._turns[key][number]
        port = self._value_input(node)
        numbers = self._feeding(node, port) if port is not None and port.cardinality == "one" else ()
        if any(self._givers[number].depth for number in numbers):
            self.fanned.add(node)

    def _value_input(self, node: int) -> Port | None:
        spec = self._specs[node]
        return None if spec is None else value_input(spec)

    def _thinned(self, wire: Wire) -> Mapping[int, frozenset[Turn]]:
        """Of which outputs only some items come along an edge, and which."""
        spec = self._specs[wire.source]
        port = None if spec is None else find(spec.outputs, wire.from_port)
        if spec is None or port is None:
            return {}
        before = {} if port.passes is None else self._turns.get((wire.source, port.passes), {})
        if wire.source not in self.fanned or _takes_all(wire, spec):
            return before
        turn = frozenset({Turn(wire.source, wire.branch, wire.bucket)})
        if port.passes is None:
            return {self._numbers[wire.source, port.id]: turn}
        own = self._value_input(wire.source)
        if own is None or own.id != port.passes:
            return before
        return {**before, **dict.fromkeys(self._feeding(wire.source, own), turn)}

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


def _takes_all(wire: Wire, spec: OperatorSpec) -> bool:
    """Whether every item goes along the edge, whatever verdict it gets."""
    if wire.bucket is not None:
        return False
    return wire.branch is None or (wire.branch == Branch.PASS and spec.verdicts is False)


def gives(output: Port, wanted: Port) -> bool:
    """Whether the output has values, or derived files, for this input."""
    if takes_asset(wanted) or family(output.content_type) in (ASSET, "*"):
        return False
    return fit(output.content_type, wanted.content_type)
