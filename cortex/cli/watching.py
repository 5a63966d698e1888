"""`cortex watch`."""

from __future__ import annotations

from collections.abc import Callable
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
    LOOM,
    OFFLINE,
    PATHS,
    PIPELINE,
    PORT,
    QUIET,
    SERVE,
    nodes,
)
from cortex.cli.sources import SOURCE
from loom.errors import LoomError

WEEK_S = 604_800.0

SETTLE = Annotated[
    float, typer.Option(min=0, max=3600, metavar="SECONDS", help="Without a change before a file is taken.")
]
RESCAN = Annotated[
    float | None,
    typer.Option(
        min=1,
        max=WEEK_S,
        metavar="SECONDS",
        help="Between two walks of a whole folder.  [default: 21600; a store: 300]",
    ),
]
SCHEDULE = Annotated[
    list[str] | None,
    typer.Option(metavar="CRON", help="When folders are walked whole, such as '0 3 * * *', instead of --rescan."),
]
QUIET_HOURS = Annotated[
    list[str] | None,
    typer.Option(metavar="HOURS", help="When nothing is done, such as 22:00-07:00 or 'mon-fri 09:00-17:00'."),
]
GRACE = Annotated[float, typer.Option(min=0, max=3600, metavar="SECONDS", help="For files in hand when it is to end.")]
ACCEPT_DELETIONS = Annotated[
    bool, typer.Option("--accept-deletions", help="Many files that are gone count as deleted at once.")
]
RECOMPUTE = Annotated[
    list[str] | None,
    typer.Option(metavar="NODE", help="In the first walk: ignore stored results of this node; `all` for every node."),
]
REHASH = Annotated[bool, typer.Option("--rehash", help="In the first walk: do not trust stat, read every file again.")]
ROUNDS_AS_JSON = Annotated[bool, typer.Option("--json", help="JSON lines on stdout, a summary for each round.")]


def _refusing(sentence: str) -> Callable[[object], None]:
    """For an option of `cortex ingest` that means nothing to a watch."""

    def refuse(value: object) -> None:
        if value:
            raise LoomError("USAGE", sentence)

    return refuse


PLAN = Annotated[
    bool,
    typer.Option("--plan", hidden=True, callback=_refusing("--plan only looks: cortex ingest PATH... --plan")),
]
LIMIT = Annotated[
    int | None,
    typer.Option(
        hidden=True, callback=_refusing("--limit is for an ingest, which ends after so many files; a watch goes on")
    ),
]
FILES_FROM = Annotated[
    str | None,
    typer.Option(
        hidden=True, callback=_refusing("--files-from names files once: a watch follows the folders that it is given")
    ),
]
GONE = Annotated[
    list[Path] | None,
    typer.Option(
        hidden=True,
        callback=_refusing("--gone is said once: cortex ingest PATH... --gone says it, also while a watch goes on"),
    ),
]


def watch(
    paths: PATHS = None,
    source: SOURCE = None,
    pipeline: PIPELINE = None,
    settle: SETTLE = 2.0,
    rescan: RESCAN = None,
    schedule: SCHEDULE = None,
    quiet_hours: QUIET_HOURS = None,
    grace: GRACE = 30.0,
    accept_deletions: ACCEPT_DELETIONS = False,
    dry_run: DRY_RUN = False,
    recompute: RECOMPUTE = None,
    rehash: REHASH = False,
    include: INCLUDE = None,
    exclude: EXCLUDE = None,
    exclude_file: EXCLUDE_FILE = None,
    hidden: HIDDEN = False,
    jobs: JOBS = None,
    loom: LOOM = None,
    offline: OFFLINE = False,
    serve: SERVE = False,
    host: HOST = None,
    port: PORT = None,
    json: ROUNDS_AS_JSON = False,
    events: EVENTS = False,
    quiet: QUIET = False,
    plan: PLAN = False,
    limit: LIMIT = None,
    files_from: FILES_FROM = None,
    gone: GONE = None,
) -> int:
    """Walk folders, or the store of a --pipeline, then follow their changes; without any, all stored sources."""
    from cortex.request import Request
    from cortex.watching.watch import Manner, watch_paths

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
    manner = Manner(settle, grace, rescan, tuple(schedule or ()), tuple(quiet_hours or ()), accept_deletions)
    return watch_paths(request, manner)
