"""`cortex worker`."""

from __future__ import annotations

from typing import Annotated

import typer

from cortex.cli.options import JOBS


def worker(
    loom: Annotated[str | None, typer.Option(metavar="URL", help="The Loom server; default: as set.")] = None,
    jobs: JOBS = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="End when the process ends that started this one.")
    ] = False,
) -> int:
    """Execute the runs that Loom hands out, until Ctrl-C."""
    from cortex.worker import work

    return work(loom_url=loom, jobs=jobs, with_parent=with_parent)
