"""A definition read leniently: what can be made out of it, however much else is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from loom.graph.order import Successors, successors
from loom.graph.shape import node_name


class DraftNode(NamedTuple):
    """`name` is the id that reports use; None when there is none. Fields of the wrong type are None."""

    position: int
    name: str | None
    operator: str | None
    config: dict[str, Any] | None
    filter: object
    options: tuple[str, ...]
    """Which of `enabled: false`, `filter`, `timeout_s`, `retries` it sets."""


class DraftEdge(NamedTuple):
    """`source` and `target` are node ids, None when they cannot be made out."""

    position: int
    source: str | None
    from_port: str
    target: str | None
    to_port: str
    branch: str | None
    options: tuple[str, ...]


class Draft(NamedTuple):
    """`where` is the path of the graph in the document. `nodes` holds the first node of each id, in order."""

    where: tuple[str, ...]
    every_node: tuple[DraftNode, ...]
    nodes: dict[str, DraftNode]
    edges: tuple[DraftEdge, ...]

    def place(self, node: DraftNode, *field: str) -> dict[str, Any]:
        """Where a problem of a node is: node and field, or the field from the top for a node without a name."""
        if node.name is not None:
            return {"node": node.name, "field": ".".join(field) or None}
        return {"field": ".".join((*self.where, "nodes", str(node.position), *field))}


def draft(graph: object, where: tuple[str, ...]) -> Draft:
    """Makes out what it can of a graph's plain value."""
    parts = graph if isinstance(graph, dict) else {}
    every = tuple(_node(index, node) for index, node in enumerate(_list(parts.get("nodes"))))
    nodes: dict[str, DraftNode] = {}
    for node in every:
        if node.name is not None:
            nodes.setdefault(node.name, node)
    edges = tuple(_edge(index, edge) for index, edge in enumerate(_list(parts.get("edges"))))
    return Draft(where, every, nodes, edges)


def _node(index: int, value: object) -> DraftNode:
    node = value if isinstance(value, dict) else {}
    operator, config = node.get("operator"), node.get("config", {})
    return DraftNode(
        index,
        node_name(value),
        operator if isinstance(operator, str) and operator else None,
        config if isinstance(config, dict) else None,
        node.get("filter"),
        (*(("enabled",) if node.get("enabled") is False else ()), *_set(node, ("filter", "timeout_s", "retries"))),
    )


def _edge(index: int, value: object) -> DraftEdge:
    edge = value if isinstance(value, dict) else {}
    source, from_port = _end(edge.get("from"), "out")
    target, to_port = _end(edge.get("to"), "in")
    branch = edge.get("branch")
    label = branch if isinstance(branch, str) else None
    return DraftEdge(index, source, from_port, target, to_port, label, _set(edge, ("maxsize", "drop_policy")))


def _end(value: object, default: str) -> tuple[str | None, str]:
    end = value if isinstance(value, dict) else {}
    node, port = end.get("node"), end.get("port", default)
    return (node if isinstance(node, str) else None), (port if isinstance(port, str) else default)


def _set(part: dict[str, Any], options: Sequence[str]) -> tuple[str, ...]:
    return tuple(option for option in options if part.get(option))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def numbered(draft: Draft) -> tuple[list[str], Successors]:
    """The ids in the order of the definition, and the successors of each by its number."""
    ids = list(draft.nodes)
    number = {node: index for index, node in enumerate(ids)}
    edges = (
        (number[edge.source], number[edge.target])
        for edge in draft.edges
        if edge.source in number and edge.target in number
    )
    return ids, successors(len(ids), edges)
