"""What can be wrong with a graph as a whole: cycles, nodes out of reach, needs that nobody meets."""

from __future__ import annotations

from collections.abc import Iterator

from loom.graph.codes import error
from loom.graph.diagnostics import Diagnostic
from loom.graph.draft import Draft, numbered
from loom.graph.node_checks import Known, starts
from loom.graph.order import ancestors, cycles, reachable
from loom.graph.presence import check_values
from loom.model import Kind

MAX_READS = 500_000
"""How many ancestors the operators that do not declare what they read may have in all: a chain of a thousand such."""


def check_graph(draft: Draft, known: Known, kinds: frozenset[Kind] = frozenset()) -> Iterator[Diagnostic]:
    """`kinds` are those that the pipeline is for; empty: every kind."""
    ids, after = numbered(draft)
    for cycle in cycles(after):
        names = [ids[node] for node in cycle]
        yield error("CYCLE", f"these nodes lead back to themselves: {_way([*names, names[0]])}", node=names[0])
    begin = set(starts(draft, known))
    if begin:
        reached = reachable((index for index, node in enumerate(ids) if node in begin), after)
        for index, node in enumerate(ids):
            if index not in reached:
                yield error("NODE_UNREACHABLE", "no way leads here from the source", node=node)
    above = ancestors(after)
    yield from _reading(ids, known, above)
    yield from check_values(draft, known, ids, above, kinds)


def _reading(ids: list[str], known: Known, above: list[int]) -> Iterator[Diagnostic]:
    number = {node: index for index, node in enumerate(ids)}
    for node, spec in known.specs.items():
        for need in spec.needs:
            if need not in number or not above[number[node]] >> number[need] & 1:
                yield error("NEED_UNMET", f"{spec.id} needs the outputs of a node {need!r} upstream of it", node=node)
    for node, named in known.named.items():
        fields = {value.node: value.field for value in reversed(known.values.get(node, ()))}
        for name in named:
            if name not in number or not above[number[node]] >> number[name] & 1:
                field = f"config.{fields[name]}" if fields.get(name) else None
                message = f"the config names a node {name!r}, which is not upstream"
                yield error("READ_UNKNOWN", message, node=node, field=field)
    undeclared = (node for node, spec in known.specs.items() if spec.reads is None)
    if sum(above[number[node]].bit_count() for node in undeclared) > MAX_READS:
        message = f"operators that do not declare what they read have more than {MAX_READS:,} ancestors in all"
        yield error("TOO_LARGE", message)


def _way(names: list[str], most: int = 20) -> str:
    shown = names if len(names) <= most else [*names[: most - 2], f"({len(names) - most + 1} more)", names[-1]]
    return " -> ".join(shown)
