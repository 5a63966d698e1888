"""The commands of `cortex`. Each lives in a file of its own and imports what it needs only when it is called."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated

import typer

from cortex.cli import (
    catalogue,
    creating,
    definitions,
    duplicates,
    exporting,
    failures,
    ingesting,
    limits,
    looking,
    running,
    sources,
    undo,
    watching,
    working,
)
from cortex.cli.interrupting import beginning
from loom.verbosity import speak, speaking


def _offered(command: Callable[..., int]) -> Callable[..., int]:
    return speaking(beginning(command))


app = typer.Typer(
    name="cortex",
    help="Walks media files through pipelines and reports to Loom.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": "CORTEX", "help_option_names": ["-h", "--help"]},
)
pipelines = typer.Typer(help="Check, store, fetch and show pipeline definitions.", no_args_is_help=True)
stored = typer.Typer()
groups = typer.Typer()
authors = typer.Typer(help="Write an operator of your own.", no_args_is_help=True)
runs = typer.Typer(help="List, start, pause, resume and cancel runs.", no_args_is_help=True)

app.command("ingest")(_offered(ingesting.ingest))
app.command("watch")(_offered(watching.watch))
app.command("worker")(_offered(working.worker))
app.add_typer(pipelines, name="pipeline")
pipelines.command("check")(_offered(definitions.check))
pipelines.command("push")(_offered(definitions.push))
pipelines.command("pull")(_offered(definitions.pull))
pipelines.command("list")(_offered(definitions.list_))
pipelines.command("show")(_offered(definitions.show))
pipelines.command("graph")(_offered(definitions.graph))
app.add_typer(runs, name="runs")
runs.command("list")(_offered(running.list_))
runs.command("show")(_offered(running.show))
runs.command("start")(_offered(running.start))
runs.command("pause")(_offered(running.pause))
runs.command("resume")(_offered(running.resume))
runs.command("cancel")(_offered(running.cancel))
app.add_typer(stored, name="sources")
stored.callback(invoke_without_command=True)(_offered(sources.sources))
stored.command("list")(_offered(sources.list_))
stored.command("show")(_offered(sources.show))
stored.command("add")(_offered(sources.add))
stored.command("remove")(_offered(sources.remove))
stored.command("mark")(_offered(sources.mark))
stored.command("move")(_offered(sources.move))
app.add_typer(groups, name="duplicates")
groups.callback(invoke_without_command=True)(_offered(duplicates.duplicates))
groups.command("list")(_offered(duplicates.list_))
groups.command("show")(_offered(duplicates.show))
groups.command("confirm")(_offered(duplicates.confirm))
groups.command("reject")(_offered(duplicates.reject))
groups.command("reopen")(_offered(duplicates.reopen))
groups.command("apply")(_offered(duplicates.apply))
app.command("undo")(_offered(undo.undo))
app.command("limits")(_offered(limits.limits))
app.command("operators")(_offered(catalogue.operators))
app.add_typer(authors, name="operator")
authors.command("new")(_offered(creating.new))
app.command("show")(_offered(looking.show))
app.command("export")(_offered(exporting.export))
app.command("failures")(_offered(failures.failures))
app.command("doctor")(_offered(looking.doctor))
app.command("config")(_offered(looking.config))


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more; twice: everything.")] = 0,
) -> None:
    """Walks media files through pipelines and reports to Loom."""
    speak((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)])
