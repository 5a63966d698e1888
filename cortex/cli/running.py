"""`cortex runs`: what runs now and did before, and steering it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cortex.cli.options import DRY_RUN, JSON, LOOM, PATHS, nodes
from loom.ending import in_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from loom.problems import ProblemShape
    from loom.shapes import RunShape

SHOWN = 10
"""Most problems of a run that are shown with it."""

RUN = Annotated[UUID, typer.Argument(metavar="RUN", help="The run's UUID.")]
OWNER = Annotated[str, typer.Option(help="Who pauses; only the same owner lifts it.")]


def list_(
    pipeline: Annotated[str | None, typer.Option(metavar="NAME", help="Only runs of this pipeline.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, the newest first.")] = 20,
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """List runs, the newest first."""
    from cortex.holding import connect

    with connect(loom) as there:
        found = there.runs(pipeline=pipeline, limit=limit).items
    for run in found:
        _show(run, json=json)
    if not found and not json:
        typer.echo("no runs")
    return 0


def show(run: RUN, loom: LOOM = None, json: JSON = False) -> int:
    """Show one run with the counts of its nodes."""
    from cortex.holding import connect

    with connect(loom) as there:
        found = there.run(run)
        kept = there.run_problems(run, limit=SHOWN).items if found.problems and not json else []
    _show(found, json=json)
    if not json:
        for node, counts in found.nodes.items():
            typer.echo(
                f"  {node:<20} computed {counts.computed}, cached {counts.cached}, remote {counts.remote},"
                f" skipped {counts.skipped}, failed {counts.failed}"
            )
        for line in trouble(found, kept):
            typer.echo(f"  {line}")
    return 0


def trouble(run: RunShape, kept: Sequence[ProblemShape]) -> Iterator[str]:
    """What else there is to say of a run: why it could not be done, what it was kept from, what is not kept of it."""
    if run.error is not None:
        yield f"{run.error.code}: {run.error.message}"
    if run.problems:
        yield f"{kept_from(run)}{':' if kept else ''}"
    for one in kept:
        yield f"  {one.code}  {one.path or ''}{': ' if one.path else ''}{one.message}"
    if kept and run.problems > len(kept):
        yield f"  … more of them: cortex failures --run {run.uuid}"
    if run.forgotten:
        yield "only these counts are kept: what became of each file was forgotten"


def kept_from(run: RunShape) -> str:
    if run.error is not None:
        return "1 problem" if run.problems == 1 else f"{run.problems:,} problems"
    return "1 file or folder was not read" if run.problems == 1 else f"{run.problems:,} files or folders were not read"


def start(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="A stored pipeline.")],
    paths: PATHS = None,
    glob: Annotated[list[str] | None, typer.Option(metavar="GLOB", help="Files that match, on the worker.")] = None,
    asset: Annotated[list[UUID] | None, typer.Option(metavar="UUID", help="Assets that Loom knows.")] = None,
    dry_run: DRY_RUN = False,
    recompute: Annotated[list[str] | None, typer.Option(metavar="NODE", help="Ignore stored results of it.")] = None,
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Ask Loom for a run, which a worker will execute."""
    from uuid import uuid4

    from cortex.holding import connect
    from cortex.sources.scan import absolute
    from loom.steering import RunRequest

    request = RunRequest(
        uuid=uuid4(),
        pipeline=pipeline,
        version=0,
        queued=0,
        paths=tuple(absolute(os.fsencode(path)) for path in paths or ()),
        globs=tuple(str(Path.cwd() / pattern) for pattern in glob or ()),
        assets=tuple(asset or ()),
        dry_run=dry_run,
        recompute=nodes(recompute),
    )
    with connect(loom, write=True) as there:
        _show(there.request_run(request), json=json)
    return 0


def pause(
    run: RUN,
    depth: Annotated[str, typer.Option(help="`new`: no new assets; `node`: after this node; `now`.")] = "new",
    owner: OWNER = "user",
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Let a run stand still."""
    from time import time_ns

    from cortex.holding import connect
    from loom.errors import LoomError
    from loom.model import Depth, Pause

    depths = {one.word: one for one in Depth}
    if depth not in depths:
        raise LoomError("USAGE", f"a pause is one of {', '.join(depths)}, not {depth!r}")
    with connect(loom, write=True) as there:
        made = Pause(owner=owner, reason=reason, depth=depths[depth], since=time_ns() // 1000)
        _show(there.pause_run(run, made), json=json)
    return 0


def resume(run: RUN, owner: OWNER = "user", loom: LOOM = None, json: JSON = False) -> int:
    """Lift an owner's pause."""
    from cortex.holding import connect

    with connect(loom, write=True) as there:
        resumed = there.resume_run(run, owner)
    _show(resumed, json=json)
    if resumed.paused:
        who = ", ".join(pause.owner for pause in resumed.paused)
        typer.echo(f"It is still paused by {who}; --owner {resumed.paused[0].owner} lifts that.", err=True)
    return 0


def cancel(run: RUN, loom: LOOM = None, json: JSON = False) -> int:
    """End a run for good; what was done is kept."""
    from cortex.holding import connect

    with connect(loom, write=True) as there:
        _show(there.cancel_run(run), json=json)
    return 0


def _show(run: RunShape, *, json: bool) -> None:
    if json:
        import msgspec

        in_utf8(sys.stdout).write(f"{msgspec.json.encode(run).decode()}\n")
        return
    paused = "".join(f", paused by {p.owner}{f' ({p.reason})' if p.reason else ''}" for p in run.paused)
    kept = f", {kept_from(run)}" if run.problems else ""
    typer.echo(
        f"{run.uuid}  {run.pipeline} version {run.version}  {run.state}{paused}"
        f"  {run.assets.seen} files, {run.assets.failed} failed{kept}  {run.started or run.queued}"
    )
