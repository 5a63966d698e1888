"""Options that several commands have. The name of a parameter is the name of its option and of the variable that may
stand for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cortex.cli.completing import pipeline_names

# Whether one can be read is seen when it is walked: the others are ingested all the same.
PATHS = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH...", help="Files and folders.", show_default=False, readable=False),
]
PIPELINE = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="A stored pipeline or a definition's file; default: by `match`.",
        autocompletion=pipeline_names,
    ),
]
DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="Compute and report, write nothing.")]
RECOMPUTE = Annotated[
    list[str] | None, typer.Option(metavar="NODE", help="Ignore stored results of this node; `all` for every node.")
]
REHASH = Annotated[bool, typer.Option("--rehash", help="Do not trust stat, read every file again.")]

INCLUDE = Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Only files that match.")]
EXCLUDE = Annotated[list[str] | None, typer.Option(metavar="GLOB", help="No files that match.")]
EXCLUDE_FILE = Annotated[Path | None, typer.Option(metavar="FILE", help="Patterns as in .gitignore.")]
HIDDEN = Annotated[bool, typer.Option("--hidden", help="Hidden files too.")]

JOBS = Annotated[int | None, typer.Option(min=1, max=1024, help="Worker processes; default: the cores.")]
LOOM = Annotated[str | None, typer.Option(metavar="URL", help="Use a Loom server.")]
OFFLINE = Annotated[bool, typer.Option("--offline", help="No Loom; results in the local cache only.")]
SERVE = Annotated[bool, typer.Option("--serve", help="Serve Loom's API and page while running.")]
HOST = Annotated[str | None, typer.Option(help="With --serve: the address to listen on.")]
PORT = Annotated[int | None, typer.Option(min=0, max=65535, help="With --serve: the port.")]

JSON = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
JSON_LINES = Annotated[bool, typer.Option("--json", help="JSON lines on stdout.")]
EVENTS = Annotated[bool, typer.Option("--events", help="With --json: every event too.")]
QUIET = Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")]


def nodes(recompute: list[str] | None) -> frozenset[str]:
    """What `--recompute` names; `*` stands for every node."""
    return frozenset("*" if node == "all" else node for node in recompute or ())
