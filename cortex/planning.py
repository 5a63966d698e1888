"""`cortex ingest --plan`: what a run would find stored and what it would compute, before it begins."""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cortex.app import default_for, scheme_of
from cortex.engine.scheme import Scheme
from cortex.engine.telling import shown
from cortex.holding import open_loom
from cortex.ingesting import choose, make_files, parts_of, roots_of
from cortex.ingesting.forecasting import Planned, planned
from cortex.report.summary import human_bytes, human_seconds
from cortex.request import Request
from cortex.sources.roots import absolute
from loom.ending import in_utf8, say
from loom.errors import LoomError

if TYPE_CHECKING:
    from loom.verbs import Loom


class Files(NamedTuple):
    """The files of the source. `unread`: Loom does not know their content, of `bytes` in all; `unchanged`: nothing is
    to be done for them; the rest are of known content for which something may be left to do."""

    seen: int
    unread: int
    bytes: int
    unchanged: int


def show_plan(request: Request) -> int:
    """Prints it, for each part of what is asked for that has options of its own; returns the exit code. Nothing is
    computed and nothing written. Raises `USAGE` without a Loom, and what `choose` and `parts_of` do."""
    if request.offline:
        raise LoomError("USAGE", "--plan asks Loom what is stored: leave out --offline")
    with open_loom(request.loom_url, hold=False, trace=False) as opened:
        parts = parts_of(request._replace(dry_run=True), opened.loom, platform.node(), say)
        for part in parts:
            scheme = scheme_of(choose(part, opened.loom, default_for(opened)), dry_run=True, note=say)
            plans = planned(opened.loom, scheme, part)
            _print(part, _files(opened.loom, part, scheme), plans, is_one_of_many=len(parts) > 1)
    return 0


def _print(part: Request, files: Files, plans: list[Planned], *, is_one_of_many: bool) -> None:
    paths = [shown(absolute(root)) for root in roots_of(part)]
    if part.json:
        told = {"paths": paths, "files": files._asdict(), "pipelines": [one._asdict() for one in plans]}
        in_utf8(sys.stdout).write(msgspec.json.encode({"message_type": "plan", **told}).decode() + "\n")
        return
    lines = [f"{', '.join(paths)}:"] if is_one_of_many else []
    lines += [*_files_in_words(files), *(line for one in plans for line in _lines(one))]
    in_utf8(sys.stdout).write("\n".join(lines) + "\n")


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
    if not (planned.version or planned.assets):
        return [f"pipeline {planned.pipeline}: nothing is stored yet, every file goes through all its nodes"]
    which = f"version {planned.version}" if planned.version else "as it is written there"
    lines = [f"pipeline {planned.pipeline}, {which}, for {planned.assets:,} known assets:"]
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
