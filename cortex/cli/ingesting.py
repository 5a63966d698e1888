"""`cortex ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cortex.cli.options import (
    DRY_RUN,
    EVENTS,
    EXCLUDE,
    EXCLUDE_FILE,
    HIDDEN,
    HOST,
    INCLUDE,
    JOBS,
    JSON_LINES,
    LOOM,
    OFFLINE,
    PATHS,
    PIPELINE,
    PORT,
    QUIET,
    RECOMPUTE,
    REHASH,
    SERVE,
    nodes,
)
from cortex.cli.sources import SOURCE

PLAN = Annotated[
    bool, typer.Option("--plan", help="Only show what is stored and what would be computed, and for how long.")
]
LIMIT = Annotated[int | None, typer.Option(min=1, help="Stop after so many files that need work.")]
FILES_FROM = Annotated[
    str | None, typer.Option(metavar="FILE|-", help="Read paths from a file or stdin, by line or NUL.")
]
GONE = Annotated[
    list[Path] | None,
    typer.Option(metavar="PATH", help="What is not there any more at or below it is gone for good, disk and all."),
]


def ingest(
    paths: PATHS = None,
    source: SOURCE = None,
    pipeline: PIPELINE = None,
    plan: PLAN = False,
    dry_run: DRY_RUN = False,
    recompute: RECOMPUTE = None,
    rehash: REHASH = False,
    include: INCLUDE = None,
    exclude: EXCLUDE = None,
    exclude_file: EXCLUDE_FILE = None,
    hidden: HIDDEN = False,
    limit: LIMIT = None,
    files_from: FILES_FROM = None,
    gone: GONE = None,
    jobs: JOBS = None,
    loom: LOOM = None,
    offline: OFFLINE = False,
    serve: SERVE = False,
    host: HOST = None,
    port: PORT = None,
    json: JSON_LINES = False,
    events: EVENTS = False,
    quiet: QUIET = False,
) -> int:
    """Walk files once through a pipeline."""
    from cortex.app import ingest_paths
    from cortex.request import Request

    request = Request(
        paths=tuple(paths or ()),
        sources=tuple(source or ()),
        pipeline=pipeline,
        dry_run=dry_run,
        recompute=nodes(recompute),
        rehash=rehash,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        exclude_file=exclude_file,
        hidden=hidden,
        limit=limit,
        files_from=files_from,
        gone=tuple(gone or ()),
        jobs=jobs,
        loom_url=loom,
        offline=offline,
        serve=serve,
        host=host,
        port=port,
        json=json,
        events=events,
        quiet=quiet,
    )
    if plan:
        from cortex.planning import show_plan

        return show_plan(request)
    return ingest_paths(request)
