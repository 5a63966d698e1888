"""Which files an ingest looks at."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cortex.catalogue import load
from cortex.engine.records import Lane
from cortex.engine.scheme import Scheme
from cortex.operators.sources.local import FileSource, FilesystemSource, ScanWishes
from cortex.request import Request
from cortex.sources.lanes import LaneOptions
from cortex.sources.scan import Scan
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.sources.remote.scan import RemoteScan
    from loom.verbs import Loom


def make_files(request: Request, scheme: Scheme, loom: Loom | None, host: str, *, dry_run: bool) -> Scan | RemoteScan:
    """The files that are in the sources of the pipelines. Each pipeline may have those that its own source and the
    paths of its `match` let pass, and each of its nodes those of them that the paths of its `filter` do. The pipelines
    are `competing` ones. Raises `USAGE` where paths are wanted and none is given; a run that Loom handed out was given
    something, which may be nothing by now."""
    sources = [source_of(lane) for lane in scheme.lanes]
    given = request.paths or request.files_from or request.places or request.claim
    if isinstance(sources[0], FilesystemSource) and not given:
        raise LoomError("USAGE", "say which files or folders to ingest: cortex ingest PATH...")
    wished = wishes(request, dry_run=dry_run)
    lanes = [
        LaneOptions(source.scan_options(wished), lane.match.path, _node_paths(lane))
        for source, lane in zip(sources, scheme.lanes, strict=True)
    ]
    differ = len(set(lanes)) > 1 or lanes[0].paths or lanes[0].node_paths
    return sources[0].open_scan(
        roots_of(request),
        loom=loom,
        host=host,
        plan=scheme.settles,
        listed=listed(request),
        wishes=wished,
        lanes=lanes if differ else (),
    )


def _node_paths(lane: Lane) -> tuple[tuple[str, ...], ...]:
    filters = (step.filter for step in lane.plan.steps)
    return tuple(one.path for one in filters if one is not None and one.path)


def source_of(lane: Lane) -> FileSource[Any]:
    """Where a pipeline takes its files from. Raises `DEFINITION_INVALID` for what is no source of files."""
    source = lane.plan.source
    node = load().create(source.operator, source.config, source.node)
    if not isinstance(node, FileSource):
        raise LoomError("DEFINITION_INVALID", f"{source.operator} is not a source of files")
    return node


def wishes(request: Request, *, dry_run: bool) -> ScanWishes:
    """The options of the command line as wishes for a scan."""
    exclude = list(request.exclude)
    if request.exclude_file is not None:
        try:
            exclude.extend(request.exclude_file.read_text(encoding="utf-8").splitlines())
        except OSError as error:
            raise LoomError("USAGE", f"{request.exclude_file} cannot be read: {error.strerror}") from error
    return ScanWishes(
        include=request.include,
        exclude=tuple(exclude),
        hidden=request.hidden,
        limit=request.limit,
        rehash=request.rehash,
        visit_all=bool(request.recompute),
        dry_run=dry_run,
        watched=request.watched,
        away=request.away,
        apart=request.apart,
    )


def roots_of(request: Request) -> list[bytes]:
    return [os.fsencode(path) for path in request.paths]


def listed(request: Request) -> Sequence[bytes] | Iterator[bytes]:
    """The paths of `--files-from`, and files that are to be visited in any case. Raises `USAGE` for a list that cannot
    be read."""
    if request.files_from is None:
        return request.places
    from cortex.sources.listed import open_list

    return open_list(request.files_from)
