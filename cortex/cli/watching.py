"""`cortex watch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cortex.cli.completing import pipeline_names

WEEK_S = 604_800.0


def watch(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH...", help="Folders and files.", show_default=False)
    ] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="A stored pipeline or a definition's file; default: by `match`.",
            autocompletion=pipeline_names,
        ),
    ] = None,
    settle: Annotated[
        float, typer.Option(min=0, max=3600, metavar="SECONDS", help="Without a change before a file is taken.")
    ] = 2.0,
    rescan: Annotated[
        float | None,
        typer.Option(
            min=1, max=WEEK_S, metavar="SECONDS", help="Between two walks of a whole folder.  [default: 21600]"
        ),
    ] = None,
    schedule: Annotated[
        list[str] | None,
        typer.Option(metavar="CRON", help="When folders are walked whole, such as '0 3 * * *', instead of --rescan."),
    ] = None,
    quiet_hours: Annotated[
        list[str] | None,
        typer.Option(metavar="HOURS", help="When nothing is done, such as 22:00-07:00 or 'mon-fri 09:00-17:00'."),
    ] = None,
    grace: Annotated[
        float, typer.Option(min=0, max=3600, metavar="SECONDS", help="For files in hand when it is to end.")
    ] = 30.0,
    accept_deletions: Annotated[
        bool, typer.Option("--accept-deletions", help="Many files that are gone count as deleted at once.")
    ] = False,
    include: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Only files that match.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="No files that match.")] = None,
    exclude_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Patterns as in .gitignore.")] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Hidden files too.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, max=1024, help="Worker processes; default: the cores.")] = None,
    loom: Annotated[str | None, typer.Option(metavar="URL", help="Use a Loom server.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Serve Loom's API and page while running.")] = False,
    host: Annotated[str | None, typer.Option(help="With --serve: the address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="With --serve: the port.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines on stdout, a summary for each round.")] = False,
    events: Annotated[bool, typer.Option("--events", help="With --json: every event too.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
) -> int:
    """Walk folders through a pipeline, then follow their changes until Ctrl-C."""
    from cortex.request import Request
    from cortex.watching.watch import Manner, watch_paths

    request = Request(
        paths=tuple(paths or ()),
        pipeline=pipeline,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
        exclude_file=exclude_file,
        hidden=hidden,
        jobs=jobs,
        loom_url=loom,
        serve=serve,
        host=host,
        port=port,
        json=json,
        events=events,
        quiet=quiet,
    )
    manner = Manner(
        settle_s=settle,
        grace_s=grace,
        rescan_s=rescan,
        schedule=tuple(schedule or ()),
        quiet_hours=tuple(quiet_hours or ()),
        accepts_deletions=accept_deletions,
    )
    return watch_paths(request, manner)
