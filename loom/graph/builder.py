"""The Python way to write a definition: make nodes, connect them, build.

    source, sha256 = PipelineNode(operator="source.filesystem"), PipelineNode(operator="hash.sha256")
    source >> sha256
    pipeline = Pipeline.builder("hashes").source(source).build()

`cortex.node.MediaNode` derives from `PipelineNode`, so that operators are written the same way.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from loom.errors import LoomError
from loom.model import Branch

N = TypeVar("N", bound="PipelineNode")
P = TypeVar("P")


class Link(NamedTuple):
    """One edge out of a node."""

    to: PipelineNode
    branch: Branch | None
    from_port: str
    to_port: str


class Outlet:
    """One branch or one output port of a node: what `node.passed`, `node.failed`, `node.errored` and `node.port(…)`
    are."""

    def __init__(self, node: PipelineNode, branch: Branch | None, port: str = "out") -> None:
        self._node = node
        self._branch = branch
        self._port = port

    def connect_to(self, other: N, *, to_port: str = "in") -> N:
        """Adds an edge with this branch's label from this port; returns `other`."""
        return self._node.connect_to(other, self._branch, from_port=self._port, to_port=to_port)

    def __rshift__(self, other: N) -> N:
        return self.connect_to(other)


class PipelineNode:
    """An operator placed in a pipeline. `id` defaults to the last part of the operator's id: `sha256` of `hash.sha256`.

    `config` are the operator's options as they were given. `filter` is as in a definition (kinds, mime, size, path).
    """

    def __init__(
        self,
        *,
        operator: str,
        id: str | None = None,  # noqa: A002
        config: Mapping[str, Any] | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002
        timeout_s: float | None = None,
        retries: int = 0,
    ) -> None:
        self.operator_id = operator
        self.id = operator.rpartition(".")[2] if id is None else id
        self.config: dict[str, Any] = dict(config or {})
        self.filter = None if filter is None else dict(filter)
        self.timeout_s = timeout_s
        self.retries = retries
        self.links: list[Link] = []

    def connect_to(
        self, other: N, branch: Branch | str | None = None, *, from_port: str = "out", to_port: str = "in"
    ) -> N:
        """Adds an edge to `other`, which is returned so that connections can be chained."""
        label = None if branch is None else Branch(branch)
        self.links.append(Link(other, label, from_port, to_port))
        return other

    def __rshift__(self, other: N) -> N:
        return self.connect_to(other)

    @property
    def passed(self) -> Outlet:
        """Where assets go on to which the node gave PASS."""
        return Outlet(self, Branch.PASS)

    @property
    def failed(self) -> Outlet:
        """Where assets go on to which the node gave FAIL: a filter's rejects."""
        return Outlet(self, Branch.FAIL)

    @property
    def errored(self) -> Outlet:
        """Where assets go on for which the node raised."""
        return Outlet(self, Branch.ERROR)

    def port(self, name: str) -> Outlet:
        """An output port by its name, such as a bucket of a filter."""
        return Outlet(self, None, name)


class PipelineBuilder(Generic[P]):
    """Collects what a definition says besides its graph; `Pipeline.builder(name)` starts one.

    `finish` makes the definition out of the document. Every method but `build` returns the builder.
    """

    def __init__(self, name: str, finish: Callable[[dict[str, Any]], P]) -> None:
        self._document: dict[str, Any] = {"schema_version": 1, "name": name}
        self._source: PipelineNode | None = None
        self._finish = finish

    def description(self, text: str) -> PipelineBuilder[P]:
        self._document["description"] = text
        return self

    def priority(self, value: int) -> PipelineBuilder[P]:
        """Of several pipelines that match an asset the highest wins."""
        self._document["priority"] = value
        return self

    def enabled(self, value: bool = True) -> PipelineBuilder[P]:
        self._document["enabled"] = value
        return self

    def dry_run(self, value: bool = True) -> PipelineBuilder[P]:
        self._document["dry_run"] = value
        return self

    def match(
        self, *, kinds: Iterable[str] = (), mime: Iterable[str] = (), paths: Iterable[str] = ()
    ) -> PipelineBuilder[P]:
        """Which assets the pipeline is for; what is left out lets all pass."""
        given = {"kinds": [str(kind) for kind in kinds], "mime": list(mime), "paths": list(paths)}
        self._document["match"] = {key: values for key, values in given.items() if values}
        return self

    def source(self, node: PipelineNode) -> PipelineBuilder[P]:
        """The node where assets come from; all others are found by following its connections."""
        self._source = node
        return self

    def build(self) -> P:
        """The definition. Raises `DEFINITION_INVALID` when it has no source, when two nodes have the same id, or when
        anything given is not of the form a definition has."""
        if self._source is None:
            raise LoomError("DEFINITION_INVALID", "a pipeline needs a source: call source(node) before build()")
        nodes = _discover(self._source)
        _refuse_equal_ids(nodes)
        edges = [_edge(node, link) for node in nodes for link in node.links]
        return self._finish(self._document | {"graph": {"nodes": [_node(node) for node in nodes], "edges": edges}})


def _discover(source: PipelineNode) -> list[PipelineNode]:
    found = {id(source): source}
    queue = deque([source])
    while queue:
        for link in queue.popleft().links:
            if id(link.to) not in found:
                found[id(link.to)] = link.to
                queue.append(link.to)
    return list(found.values())


def _refuse_equal_ids(nodes: Iterable[PipelineNode]) -> None:
    operators: dict[str, str] = {}
    for node in nodes:
        if node.id in operators:
            both = f"{operators[node.id]} and {node.operator_id}"
            raise LoomError("DEFINITION_INVALID", f"two nodes have the id {node.id!r} ({both}): give one of them `id=`")
        operators[node.id] = node.operator_id


def _plain(node: PipelineNode, given: dict[str, Any]) -> Any:
    try:
        return json.loads(json.dumps(msgspec.to_builtins(given, str_keys=True, enc_hook=os.fspath), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise LoomError("DEFINITION_INVALID", f"the options of node {node.id!r} are not plain data: {error}") from error


def _node(node: PipelineNode) -> dict[str, Any]:
    document: dict[str, Any] = {"id": node.id, "operator": node.operator_id}
    if node.config:
        document["config"] = _plain(node, node.config)
    if node.filter:
        document["filter"] = _plain(node, node.filter)
    if node.timeout_s is not None:
        document["timeout_s"] = node.timeout_s
    if node.retries:
        document["retries"] = node.retries
    return document


def _edge(node: PipelineNode, link: Link) -> dict[str, Any]:
    document: dict[str, Any] = {"from": _end(node, link.from_port, "out"), "to": _end(link.to, link.to_port, "in")}
    if link.branch is not None:
        document["branch"] = str(link.branch)
    return document


def _end(node: PipelineNode, port: str, default: str) -> dict[str, str]:
    return {"node": node.id} if port == default else {"node": node.id, "port": port}
