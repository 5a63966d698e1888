"""`cortex ingest --plan`: what a run would find stored and what it would compute, before it begins."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cortex.app import default_for
from cortex.catalogue import load
from cortex.engine.scheme import Scheme, make_scheme
from cortex.holding import open_loom
from cortex.ingesting import FILES, choose, competing, make_files, roots_of
from cortex.report.summary import human_bytes, human_seconds
from cortex.request import Request
from cortex.sources.roots import absolute
from loom.ending import in_utf8, say
from loom.errors import LoomError
from loom.shapes import ForecastNode
from loom.steering import AssetQuery

if TYPE_CHECKING:
    from loom.verbs import Loom


class Files(NamedTuple):
    """The files of the source. `unread`: Loom does not know their content, of `bytes` in all; `unchanged`: nothing is
    to be done for them; the rest are of known content for which something may be left to do."""

    seen: int
    unread: int
    bytes: int
    unchanged: int


class Planned(NamedTuple):
    """One pipeline: what a run of it would do for the known assets below the paths. `version` 0: it is not stored."""

    pipeline: str
    version: int
    assets: int
    nodes: list[ForecastNode]
    seconds: float


def show_plan(request: Request) -> int:
    """Prints it; returns the exit code. Nothing is computed and nothing written. Raises `USAGE` for a pipeline that is
    not stored, and without a Loom."""
    if request.offline:
        raise LoomError("USAGE", "--plan asks Loom what is stored: leave out --offline")
    with open_loom(request.loom_url, hold=False, trace=False) as opened:
        chosen = choose(request, opened.loom, default_for(opened))
        left_out = (lambda _name, _error: None) if len(chosen) > 1 else None
        scheme = competing(make_scheme(chosen, load(), dry_run=True, left_out=left_out), say)
        planned = [
            _planned(opened.loom, lane.plan.pipeline, version, request)
            for lane, version in zip(scheme.lanes, scheme.versions, strict=True)
        ]
        files = _files(opened.loom, request, scheme)
    if request.json:
        told = {"message_type": "plan", "files": files._asdict(), "pipelines": [one._asdict() for one in planned]}
        in_utf8(sys.stdout).write(msgspec.json.encode(told).decode() + "\n")
    else:
        sys.stdout.write(
            "\n".join([*_files_in_words(files), *(line for one in planned for line in _lines(one))]) + "\n"
        )
    return 0


def _planned(loom: Loom, pipeline: str, version: int, request: Request) -> Planned:
    if not version:
        if request.pipeline is not None and Path(request.pipeline).suffix in FILES:
            raise LoomError("USAGE", "--plan is for stored pipelines: `cortex pipeline push FILE` stores this one")
        return Planned(pipeline, 0, 0, [], 0.0)
    found = [loom.forecast(pipeline, query) for query in _queries(roots_of(request))]
    nodes = [_summed(same) for same in zip(*(one.nodes for one in found), strict=True)]
    return Planned(pipeline, version, sum(one.assets for one in found), nodes, sum(one.seconds for one in found))


def _queries(roots: Iterable[bytes]) -> list[AssetQuery]:
    """One for each path that lies below no other of them; all assets where no path is given."""
    paths = sorted({absolute(root) for root in roots})
    outer = [path for path in paths if not any(path.startswith(other.rstrip(b"/") + b"/") for other in paths)]
    if not outer:
        return [AssetQuery()]
    return [AssetQuery(path=os.fsdecode(path.rstrip(b"/") + b"/" * os.path.isdir(path))) for path in outer]


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


def _files(loom: Loom, request: Request, scheme: Scheme) -> Files:
    scan = make_files(request, scheme, loom, platform.node(), dry_run=True)
    unread = size = 0
    for found in scan:
        if found.asset is None:
            unread, size = unread + 1, size + found.stat.size
    return Files(scan.seen, unread, size, scan.unchanged)


def _files_in_words(files: Files) -> list[str]:
    known = files.seen - files.unread
    return [
        f"{files.seen:,} files: {files.unread:,} new or changed ({human_bytes(files.bytes)} to be read),"
        f" {known:,} known, {files.unchanged:,} of them with nothing left to do"
    ]


def _lines(planned: Planned) -> list[str]:
    if not planned.version:
        return [f"pipeline {planned.pipeline}: nothing is stored yet, every file goes through all its nodes"]
    lines = [f"pipeline {planned.pipeline}, version {planned.version}, for {planned.assets:,} known assets:"]
    width = max([4, *(len(node.node) for node in planned.nodes)])
    lines.append(f"  {'node':<{width}}    stored   missing     stale  estimated time")
    for node in planned.nodes:
        nothing = not node.missing + node.stale
        took = "-" if nothing else "unknown" if node.seconds is None else human_seconds(node.seconds)
        lines.append(f"  {node.node:<{width}}{node.stored:>10,}{node.missing:>10,}{node.stale:>10,}  {took}")
    stale = [node.node for node in planned.nodes if node.stale]
    if stale:
        lines.append(f"  stale: results of older versions or options of {', '.join(stale)}, computed anew")
    if planned.seconds:
        lines.append(f"  {human_seconds(planned.seconds)} in all on one core, of known assets; new files come on top")
    return lines
