"""What the command line asks of an ingest."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from cortex.sources.watched import Watched


class Request(NamedTuple):
    """What the command line asks of an ingest. `places` are files to be visited in any case. `version`: which of the
    pipeline, if it is not the current one. `claim`: a run that Loom has handed out, and the name of the worker that has
    it. `gone`: what was there and is not counts as deleted, also where its disk is away. `watched`: what a round of a
    watch is to look at. `sources` are names of stored ones. `away` are folders whose disk is known to be away, and why
    one says so, `apart` those that are ingested by themselves."""

    paths: tuple[Path, ...] = ()
    pipeline: str | None = None
    dry_run: bool = False
    recompute: frozenset[str] = frozenset()
    rehash: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    exclude_file: Path | None = None
    hidden: bool = False
    limit: int | None = None
    files_from: str | None = None
    jobs: int | None = None
    loom_url: str | None = None
    offline: bool = False
    serve: bool = False
    host: str | None = None
    port: int | None = None
    json: bool = False
    events: bool = False
    quiet: bool = False
    places: tuple[bytes, ...] = ()
    version: int | None = None
    claim: tuple[UUID, str] | None = None
    gone: tuple[Path, ...] = ()
    watched: Watched | None = None
    sources: tuple[str, ...] = ()
    away: tuple[tuple[bytes, str], ...] = ()
    apart: frozenset[bytes] = frozenset()

    def command(self) -> str:
        """What goes on from where it ended. One that visits failed files anew goes on with their folders."""
        command = ["cortex", *sys.argv[1:]]
        if self.places:
            pipeline = ["--pipeline", self.pipeline] if self.pipeline is not None else []
            folders = sorted({os.fsdecode(os.path.dirname(path)) for path in self.places})
            command = ["cortex", "ingest", *pipeline, *folders]
        return shlex.join(command)

    def interrupted(self, *, dry_run: bool, cancelled: bool = False) -> str:
        """What to say of an ingest that was interrupted, or cancelled by way of Loom. The worker goes on by itself with
        a run that it was given, or another one does."""
        end = "Cancelled" if cancelled else "Interrupted"
        kept = "Nothing was written" if dry_run else "What was done is kept"
        if self.claim is None:
            return f"{end}. {kept}; {'begin again' if dry_run else 'go on'} with: {self.command()}"
        if cancelled:
            return f"The run {self.claim[0]} was cancelled. {kept}."
        return f"{end}. {kept}; the run {self.claim[0]} goes back to Loom, which gives it to another worker."
