"""`cortex failures`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from cortex.cli.finding import find_asset
from cortex.cli.options import JSON, LOOM, QUIET
from loom.ending import in_utf8

if TYPE_CHECKING:
    from loom.problems import FailureShape, ProblemShape
    from loom.steering import Selection
    from loom.verbs import Loom

TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
"""In local time."""


def failures(
    run: Annotated[UUID | None, typer.Option(help="Only failures of this run.")] = None,
    code: Annotated[str | None, typer.Option(help="Only failures with this code.")] = None,
    node: Annotated[str | None, typer.Option(help="Only failures of this node.")] = None,
    cause: Annotated[str | None, typer.Option(help="Only failures like these, as the list names them.")] = None,
    asset: Annotated[str | None, typer.Option(metavar="PATH|UUID|HASH", help="Only failures of this asset.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=TIMES, help="Only failures from then on.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=TIMES, help="Only failures before.")] = None,
    aside: Annotated[bool, typer.Option("--aside", help="Also those that were set aside.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Forget these failures and try them again now.")] = False,
    set_aside: Annotated[bool, typer.Option("--set-aside", help="Keep these failures out of the list.")] = False,
    loom: LOOM = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=1024, help="Worker processes for --retry.")] = None,
    json: JSON = False,
    quiet: QUIET = False,
) -> int:
    """List failed results, grouped by cause; with --retry: try them again."""
    from cortex.holding import connect
    from loom.errors import LoomError
    from loom.steering import Selection

    if retry and set_aside:
        raise LoomError("USAGE", "--retry and --set-aside exclude each other")
    with connect(loom, write=set_aside) as there:
        selection = Selection(
            run=run, node=node, code=code, asset=None if asset is None else find_asset(there, asset).uuid,
            since=_moment(since), until=_moment(until), aside=aside, cause=cause,
        )  # fmt: skip
        if set_aside:
            return _told(there.set_aside(selection), json=json, quiet=quiet)
        groups = [] if retry else there.failures(selection)
        unread = [] if retry else list(_problems(there, selection))
    if retry:
        from cortex.retrying import retry_failures

        return retry_failures(selection, loom_url=loom, jobs=jobs, json=json, quiet=quiet)
    (_print_json if json else _print)(groups, unread)
    return 0


def _problems(loom: Loom, selection: Selection) -> Iterator[ProblemShape]:
    """What kept a run from files: no node has failed there, and no asset is known."""
    from cortex.paging import everything

    by_other = (selection.node, selection.asset, selection.since, selection.until, selection.cause)
    if selection.run is None or any(one is not None for one in by_other):
        return
    for one in everything(partial(loom.run_problems, selection.run)):
        if selection.code in (None, one.code):
            yield one


def _print_json(groups: Iterable[FailureShape], unread: Iterable[ProblemShape]) -> None:
    import msgspec

    lines = (msgspec.json.encode(one).decode() for one in (*groups, *unread))
    in_utf8(sys.stdout).writelines(f"{line}\n" for line in lines)


def _print(groups: Sequence[FailureShape], unread: Sequence[ProblemShape]) -> None:
    from cortex.report.plain import printable

    for group in groups:
        again = ", may be tried again" if group.retryable else ""
        handled = "" if not group.handled else ", handled" if group.handled == group.count else _some(group.handled)
        where = f"{group.code} at {group.node} ({group.operator})"
        typer.echo(f"{group.count:>6}  {where}{again}{handled}, cause {group.cause}")
        typer.echo(f"        {printable(group.message)}")
        typer.echo(f"        newest: {printable(group.newest.path or str(group.newest.asset))} ({group.newest.time})")
    for one in unread:
        typer.echo(f"     -  {one.code}{', may be tried again' if one.retryable else ''}")
        typer.echo(f"        {printable(one.path or 'the run')}: {printable(one.message)}")
    if not groups and not unread:
        typer.echo("no failures")


def _moment(time: datetime | None) -> int | None:
    """In microseconds since 1970."""
    return None if time is None else round(time.timestamp() * 1_000_000)


def _told(number: int, *, json: bool, quiet: bool) -> int:
    if json:
        in_utf8(sys.stdout).write(f'{{"set_aside": {number}}}\n')
    elif not quiet:
        what = "1 failure was" if number == 1 else f"{number:,} failures were"
        typer.echo(f"{what} set aside; cortex failures --aside shows what was")
    return 0


def _some(handled: int) -> str:
    return f", {handled:,} of them handled"
