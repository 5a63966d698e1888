"""What is stored of known files, and what an ingest would compute for them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cortex.engine.scheme import Scheme
from cortex.ingesting.files import roots_of
from cortex.request import Request
from cortex.sources.roots import absolute, is_at_or_below
from loom.graph.plan import AssetFilter
from loom.model import Kind
from loom.shapes import ForecastNode, ForecastShape
from loom.steering import AssetQuery

if TYPE_CHECKING:
    from loom.verbs import Loom


class Planned(NamedTuple):
    """One pipeline: what a run of it would do for the known assets below the paths. `version` 0: it is not stored."""

    pipeline: str
    version: int
    assets: int
    nodes: list[ForecastNode]
    seconds: float


def planned(loom: Loom, scheme: Scheme, request: Request) -> list[Planned]:
    """What each pipeline would do. Of several, a pipeline is asked about the kinds of assets that it may get: those of
    its `match`, without those that a better one takes."""
    plans: list[Planned] = []
    left = frozenset(Kind)
    for lane, version, definition in zip(scheme.lanes, scheme.versions, scheme.definitions, strict=True):
        kinds = left & (lane.match.kinds or left)
        queries = _queries(request, kinds)
        found = [loom.forecast(lane.plan.pipeline, query, None if version else definition) for query in queries]
        plans.append(_in_all(lane.plan.pipeline, version, found))
        if msgspec.structs.replace(lane.match, kinds=frozenset()) == AssetFilter():
            left -= kinds
    return plans


def _in_all(pipeline: str, version: int, found: list[ForecastShape]) -> Planned:
    nodes = [_summed(same) for same in zip(*(one.nodes for one in found), strict=True)]
    return Planned(pipeline, version, sum(one.assets for one in found), nodes, sum(one.seconds for one in found))


def _queries(request: Request, kinds: frozenset[Kind]) -> Iterator[AssetQuery]:
    """One for each path that lies below no other of them, about all assets where no path is given; for each of the
    kinds, where they are not all."""
    paths = sorted({absolute(root) for root in roots_of(request)})
    outer = [path for path in paths if not any(path != other and is_at_or_below(path, other) for other in paths)]
    texts: list[str | None] = [os.fsdecode(path.rstrip(b"/") + b"/" * os.path.isdir(path)) for path in outer]
    for path in texts or [None]:
        for kind in (None,) if len(kinds) == len(Kind) else sorted(kinds):
            yield AssetQuery(path=path, kind=kind)


def _summed(nodes: tuple[ForecastNode, ...]) -> ForecastNode:
    known = [node.seconds for node in nodes if node.seconds is not None]
    return ForecastNode(
        node=nodes[0].node,
        operator=nodes[0].operator,
        stored=sum(node.stored for node in nodes),
        missing=sum(node.missing for node in nodes),
        stale=sum(node.stale for node in nodes),
        seconds=sum(known) if known else None,
    )
