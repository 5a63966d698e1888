"""`cortex failures`."""

from __future__ import annotations

import sys
from typing import Annotated
from uuid import UUID

import typer

from loom.ending import in_utf8


def failures(
    run: Annotated[UUID | None, typer.Option(help="Only failures of this run.")] = None,
    code: Annotated[str | None, typer.Option(help="Only failures with this code.")] = None,
    node: Annotated[str | None, typer.Option(help="Only failures of this node.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Forget these failures and try them again now.")] = False,
    loom: Annotated[str | None, typer.Option(metavar="URL", help="Use a Loom server.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=1024, help="Worker processes for --retry.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
) -> int:
    """List failed results, grouped by cause; with --retry: try them again."""
    from cortex.holding import connect
    from loom.steering import Selection

    selection = Selection(run=run, node=node, code=code)
    if retry:
        from cortex.retrying import retry_failures

        return retry_failures(selection, loom_url=loom, jobs=jobs, json=json, quiet=quiet)
    with connect(loom) as there:
        groups = there.failures(selection)
    if json:
        import msgspec

        in_utf8(sys.stdout).writelines(f"{msgspec.json.encode(group).decode()}\n" for group in groups)
        return 0
    for group in groups:
        again = ", may be tried again" if group.retryable else ""
        handled = "" if not group.handled else ", handled" if group.handled == group.count else _some(group.handled)
        typer.echo(f"{group.count:>6}  {group.code} at {group.node} ({group.operator}){again}{handled}")
        typer.echo(f"        {group.message}")
        typer.echo(f"        newest: {group.newest.path or group.newest.asset} ({group.newest.time})")
    if not groups:
        typer.echo("no failures")
    return 0


def _some(handled: int) -> str:
    return f", {handled:,} of them handled"
