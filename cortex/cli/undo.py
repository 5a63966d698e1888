"""`cortex undo`: takes back what was done to files."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cortex.cli.options import JSON, LOOM
from loom.ending import in_utf8

if TYPE_CHECKING:
    from cortex.actions.undoing import Undone
    from loom.actions import ActionShape
    from loom.verbs import Loom

SOME_FAILED = 3
"""The exit code when some files could not be moved or brought back."""


def undo(
    actions: Annotated[
        list[UUID] | None, typer.Argument(metavar="ACTION...", help="Actions, by their UUID.", show_default=False)
    ] = None,
    group: Annotated[list[UUID] | None, typer.Option(metavar="ID", help="What was done for this group.")] = None,
    run: Annotated[list[UUID] | None, typer.Option(metavar="UUID", help="What this run did.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be undone.")] = False,
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Undo what was done to files: moved ones come back, copies and side files go, as long as they are what they
    were."""
    from cortex.actions.undoing import undo as undo_one
    from cortex.holding import connect
    from loom.errors import LoomError

    if not (actions or group or run):
        raise LoomError("USAGE", "say what is to be undone: actions, --group or --run")
    host, failed, count = platform.node(), 0, 0
    with connect(loom, write=not dry_run) as there, acting(there, dry_run=dry_run):
        for action in _chosen(there, actions or [], group or [], run or []):
            done = undo_one(there, host, action, dry_run=dry_run)
            count += 1
            failed += done.why is not None
            _tell(done, dry_run=dry_run, json=json)
    if not json and not count:
        typer.echo("nothing to undo")
    return SOME_FAILED if failed else 0


@contextmanager
def acting(loom: Loom, *, dry_run: bool) -> Iterator[None]:
    """Nobody else moves files here meanwhile, and what was interrupted before is brought to an end first."""
    from cortex.actions.alone import acting_alone
    from cortex.actions.resolving import resolve_all_dead
    from cortex.settings import CortexSettings

    if dry_run:
        yield
        return
    meta_path = CortexSettings.load({}).meta_path
    with acting_alone(meta_path):
        resolve_all_dead(loom, platform.node(), meta_path)
        yield


def _chosen(loom: Loom, actions: list[UUID], groups: list[UUID], runs: list[UUID]) -> list[ActionShape]:
    """The last first; of groups and runs those that are done. Raises `NOT_FOUND`."""
    from cortex.paging import everything

    found = [loom.action(uuid) for uuid in actions]
    for group in groups:
        loom.duplicate(group)
        found += everything(partial(loom.actions, duplicate=group, state="DONE"))
    for run in runs:
        loom.run(run)
        found += everything(partial(loom.actions, run=run, state="DONE"))
    return list({action.uuid: action for action in found}.values())[::-1]


def _tell(done: Undone, *, dry_run: bool, json: bool) -> None:
    if json:
        import msgspec

        told = {"action": done.action.uuid, "did": done.did, "why": done.why, "dry_run": dry_run}
        in_utf8(sys.stdout).write(f"{msgspec.json.encode(told).decode()}\n")
    elif done.why is not None:
        typer.echo(f"left      {done.did}: {done.why}")
    else:
        typer.echo(f"{'would be ' if dry_run else 'undone   '} {done.did}")
