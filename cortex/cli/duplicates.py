"""`cortex duplicates`: groups of duplicates, decided on, and moved aside."""

from __future__ import annotations

import os
import platform
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cortex.cli.options import JSON, LOOM
from cortex.cli.undo import SOME_FAILED, acting
from loom.ending import in_utf8

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cortex.actions.applying import Moved
    from loom.duplicates import DuplicateMember, DuplicateShape, DuplicateState

STATES: tuple[DuplicateState, ...] = ("PENDING", "CONFIRMED", "REJECTED")
STATE = Annotated[str | None, typer.Option(metavar="|".join(STATES), help="Only groups in this state.")]
ID = Annotated[UUID, typer.Argument(metavar="ID", help="A group's UUID.")]


def duplicates(context: typer.Context, state: STATE = None, loom: LOOM = None, json: JSON = False) -> int:
    """List groups of duplicates, decide on them, and move aside what is not kept."""
    return list_(state, loom, json) if context.invoked_subcommand is None else 0


def list_(state: STATE = None, loom: LOOM = None, json: JSON = False) -> int:
    """List the groups in the order in which they were proposed."""
    from cortex.holding import connect
    from cortex.paging import everything
    from loom.errors import LoomError

    wanted = next((one for one in STATES if one == (state or "").upper()), None)
    if state is not None and wanted is None:
        raise LoomError("USAGE", f"a state is one of {', '.join(STATES)}, not {state!r}")
    found = 0
    with connect(loom) as there:
        for group in everything(partial(there.duplicates, state=wanted)):
            found += 1
            if json:
                _print_json(group)
            else:
                typer.echo(_line(group))
    if not found and not json:
        typer.echo("no duplicates")
    return 0


def show(group: ID, loom: LOOM = None, json: JSON = False) -> int:
    """Show the members of a group, and why one is kept."""
    from cortex.holding import connect

    with connect(loom) as there:
        _tell(there.duplicate(group), json=json)
    return 0


def confirm(
    group: ID,
    keep: Annotated[
        str | None, typer.Option(metavar="ASSET|PATH", help="Which one to keep; default: the suggested one.")
    ] = None,
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Say that the members are duplicates, and which one is kept. No file is moved by that."""
    from cortex.holding import connect
    from loom.duplicates import Decision

    with connect(loom, write=True) as there:
        keeper = None if keep is None else _member(there.duplicate(group), keep)
        _tell(there.confirm_duplicate(group, Decision(keeper=keeper)), json=json)
    return 0


def reject(group: ID, loom: LOOM = None, json: JSON = False) -> int:
    """Say that the members are no duplicates: they are not proposed together again."""
    from cortex.holding import connect

    with connect(loom, write=True) as there:
        _tell(there.reject_duplicate(group), json=json)
    return 0


def reopen(group: ID, loom: LOOM = None, json: JSON = False) -> int:
    """Take back what was decided of a group."""
    from cortex.holding import connect

    with connect(loom, write=True) as there:
        _tell(there.reopen_duplicate(group), json=json)
    return 0


def apply(
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="The folder below which files go. It must be there.")],
    groups: Annotated[
        list[UUID] | None, typer.Argument(metavar="ID...", help="Confirmed groups.", show_default=False)
    ] = None,
    everywhere: Annotated[bool, typer.Option("--all", help="All confirmed groups.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be moved.")] = False,
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Move the files of confirmed groups that are not kept, and lie on this machine, into a folder."""
    from cortex.actions.applying import Applying
    from cortex.holding import connect
    from cortex.paging import everything
    from cortex.sources.roots import absolute
    from loom.errors import LoomError

    if bool(groups) is everywhere:
        raise LoomError("USAGE", "name the groups, or say --all")
    if not to.is_dir():
        raise LoomError("USAGE", f"{to} is not a folder that is there")
    failed = count = 0
    with connect(loom, write=not dry_run) as there, acting(there, dry_run=dry_run):
        applying = Applying(there, platform.node(), absolute(os.fsencode(to)), dry_run)
        chosen: Iterable[DuplicateShape] = (
            everything(partial(there.duplicates, state="CONFIRMED"))
            if everywhere
            else [there.duplicate(uuid) for uuid in groups or ()]
        )
        for group in chosen:
            for moved in applying.apply(group):
                count += 1
                failed += moved.why is not None
                _say(group, moved, dry_run=dry_run, json=json)
    if not count and not json:
        typer.echo("nothing to move")
    return SOME_FAILED if failed else 0


def _member(group: DuplicateShape, wanted: str) -> str:
    """The id of the member that somebody means: by its asset, its path on this machine, or its id. Raises `USAGE`."""
    from cortex.sources.roots import absolute
    from loom.duplicates import path_of
    from loom.errors import LoomError

    path = absolute(os.fsencode(wanted))
    for member in group.members:
        at = [path_of(place) for place in member.locations if place.host == platform.node()]
        if wanted in (member.id, member.blake3) or path in at:
            return member.id
        if group.kind == "similar" and wanted == str(member.asset):
            return member.id
    raise LoomError("USAGE", f"{wanted} is no member of this group")


def _line(group: DuplicateShape) -> str:
    members = sum(not member.left for member in group.members)
    kept = next((member for member in group.members if member.kept), None)
    keeps = "" if kept is None else f"  keeps {_place(kept)} ({group.reason})"
    return f"{group.uuid}  {group.state:<9}  {group.kind:<7}  {members:>3} members{keeps}"


def _tell(group: DuplicateShape, *, json: bool) -> None:
    from cortex.report.plain import printable
    from cortex.report.summary import human_bytes

    if json:
        _print_json(group)
        return
    typer.echo(f"group     {group.uuid}\nkind      {group.kind}\nstate     {group.state}")
    if group.reason is not None:
        typer.echo(f"reason    {group.reason}")
    for member in group.members:
        word = "keep" if member.kept else "left out" if member.left else "member"
        size = human_bytes(member.size)
        pixels = "" if member.width is None else f", {member.width} × {member.height}"
        taken = "" if member.captured_at is None else f", taken {member.captured_at}"
        apart = "" if member.distance is None else f", {member.distance} bits apart"
        damaged = ", damaged" if member.complete is False else ""
        typer.echo(f"{word:<8}  {member.asset}  {size}{pixels}{taken}{apart}{damaged}")
        for place in member.locations:
            typer.echo(f"          {place.state:<11} {place.host}:{printable(place.path)}  {place.mtime}")


def _place(member: DuplicateMember) -> str:
    from cortex.report.plain import printable

    return printable(member.locations[0].path) if member.locations else str(member.asset)


def _say(group: DuplicateShape, moved: Moved, *, dry_run: bool, json: bool) -> None:
    from cortex.actions.files import shown

    path, target = shown(moved.path), None if moved.target is None else shown(moved.target)
    if json:
        import msgspec

        told = {"group": group.uuid, "path": path, "target": target, "why": moved.why, "dry_run": dry_run}
        in_utf8(sys.stdout).write(f"{msgspec.json.encode(told).decode()}\n")
    elif target is None:
        typer.echo(f"left        {path}: {moved.why}")
    else:
        typer.echo(f"{'would move ' if dry_run else 'moved      '} {path} to {target}")


def _print_json(group: DuplicateShape) -> None:
    import msgspec

    in_utf8(sys.stdout).write(f"{msgspec.json.encode(group).decode()}\n")
