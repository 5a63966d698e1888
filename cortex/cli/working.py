"""`cortex worker`."""

from __future__ import annotations

from typing import Annotated

import typer


def worker(
    loom: Annotated[str | None, typer.Option(metavar="URL", help="The Loom server; default: as set.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, max=1024, help="Worker processes; default: the cores.")] = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="End when the process ends that started this one.")
    ] = False,
) -> int:
    """Execute the runs that Loom hands out, until Ctrl-C."""
    from cortex.worker import work

    return work(loom_url=loom, jobs=jobs, with_parent=with_parent)
