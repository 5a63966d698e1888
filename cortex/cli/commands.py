"""The commands of `cortex`. Each lives in a file of its own and imports what it needs only when it is called."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from cortex.cli import catalogue, definitions, exporting, failures, ingesting, looking, running, working
from loom.verbosity import speak, speaking

app = typer.Typer(
    name="cortex",
    help="Walks media files through pipelines and reports to Loom.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": "CORTEX", "help_option_names": ["-h", "--help"]},
)
pipelines = typer.Typer(help="Check, store, fetch and show pipeline definitions.", no_args_is_help=True)
runs = typer.Typer(help="List, start, pause, resume and cancel runs.", no_args_is_help=True)

app.command("ingest")(speaking(ingesting.ingest))
app.command("worker")(speaking(working.worker))
app.add_typer(pipelines, name="pipeline")
pipelines.command("check")(speaking(definitions.check))
pipelines.command("push")(speaking(definitions.push))
pipelines.command("pull")(speaking(definitions.pull))
pipelines.command("list")(speaking(definitions.list_))
pipelines.command("show")(speaking(definitions.show))
pipelines.command("graph")(speaking(definitions.graph))
app.add_typer(runs, name="runs")
runs.command("list")(speaking(running.list_))
runs.command("show")(speaking(running.show))
runs.command("start")(speaking(running.start))
runs.command("pause")(speaking(running.pause))
runs.command("resume")(speaking(running.resume))
runs.command("cancel")(speaking(running.cancel))
app.command("operators")(speaking(catalogue.operators))
app.command("show")(speaking(looking.show))
app.command("export")(speaking(exporting.export))
app.command("failures")(speaking(failures.failures))
app.command("doctor")(speaking(looking.doctor))
app.command("config")(speaking(looking.config))


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more; twice: everything.")] = 0,
) -> None:
    """Walks media files through pipelines and reports to Loom."""
    speak((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)])
