"""`cortex failures`."""

from __future__ import annotations

import sys
from typing import Annotated
from uuid import UUID

import typer


def failures(
    run: Annotated[UUID | None, typer.Option(help="Only failures of this run.")] = None,
    code: Annotated[str | None, typer.Option(help="Only failures with this code.")] = None,
    node: Annotated[str | None, typer.Option(help="Only failures of this node.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Forget these failures and try them again now.")] = False,
    loom: Annotated[str | None, typer.Option(metavar="URL", help="Use a Loom server.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=512, help="Worker processes for --retry.")] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> int:
    """List failed results, grouped by cause; with --retry: try them again."""
    from cortex.app import connect, retry_failures
    from loom.verbs import Selection

    selection = Selection(run=run, node=node, code=code)
    if retry:
        return retry_failures(selection, loom_url=loom, jobs=jobs, json=json)
    with connect(loom) as there:
        groups = there.failures(selection)
    if json:
        import msgspec

        sys.stdout.writelines(f"{msgspec.json.encode(group).decode()}\n" for group in groups)
        return 0
    for group in groups:
        again = ", may be tried again" if group.retryable else ""
        typer.echo(f"{group.count:>6}  {group.code} at {group.node} ({group.operator}){again}")
        typer.echo(f"        {group.message}")
        typer.echo(f"        newest: {group.newest.path or group.newest.asset} ({group.newest.time})")
    if not groups:
        typer.echo("no failures")
    return 0
