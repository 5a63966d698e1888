"""`cortex ingest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cortex.cli.completing import pipeline_names

PATHS = Annotated[list[Path] | None, typer.Argument(metavar="PATH...", help="Files and folders.", show_default=False)]


def ingest(
    paths: PATHS = None,
    pipeline: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="A stored pipeline or a definition's file; default: by `match`.",
            autocompletion=pipeline_names,
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what is stored and what would be computed, and for how long.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compute and report, write nothing.")] = False,
    recompute: Annotated[
        list[str] | None, typer.Option(metavar="NODE", help="Ignore stored results of this node; `all` for every node.")
    ] = None,
    rehash: Annotated[bool, typer.Option("--rehash", help="Do not trust stat, read every file again.")] = False,
    include: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Only files that match.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="No files that match.")] = None,
    exclude_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Patterns as in .gitignore.")] = None,
    hidden: Annotated[bool, typer.Option("--hidden", help="Hidden files too.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many files that need work.")] = None,
    files_from: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Read paths from a file or stdin, by line or NUL.")
    ] = None,
    gone: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="What is not there any more at or below it is gone for good, disk and all."),
    ] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=1024, help="Worker processes; default: the cores.")] = None,
    loom: Annotated[str | None, typer.Option(metavar="URL", help="Use a Loom server.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="No Loom; results in the local cache only.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Serve Loom's API while running.")] = False,
    host: Annotated[str | None, typer.Option(help="With --serve: the address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="With --serve: the port.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON lines on stdout.")] = False,
    events: Annotated[bool, typer.Option("--events", help="With --json: every event too.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
) -> int:
    """Walk files once through a pipeline."""
    from cortex.app import ingest_paths
    from cortex.request import Request

    request = Request(
        paths=tuple(paths or ()),
        pipeline=pipeline,
        dry_run=dry_run,
        recompute=frozenset("*" if node == "all" else node for node in recompute or ()),
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
