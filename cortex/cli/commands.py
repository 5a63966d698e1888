"""The commands of `cortex`. Each lives in a file of its own and imports what it needs only when it is called."""

from __future__ import annotations

from typing import Annotated

import typer

from cortex.cli import catalogue, definitions, failures, ingesting, looking

app = typer.Typer(
    name="cortex",
    help="Walks media files through pipelines and reports to Loom.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": "CORTEX", "help_option_names": ["-h", "--help"]},
)
pipelines = typer.Typer(help="Check, store, fetch and show pipeline definitions.", no_args_is_help=True)

app.command("ingest")(ingesting.ingest)
app.add_typer(pipelines, name="pipeline")
pipelines.command("check")(definitions.check)
pipelines.command("push")(definitions.push)
pipelines.command("pull")(definitions.pull)
pipelines.command("list")(definitions.list_)
pipelines.command("show")(definitions.show)
pipelines.command("graph")(definitions.graph)
app.command("operators")(catalogue.operators)
app.command("show")(looking.show)
app.command("failures")(failures.failures)
app.command("doctor")(looking.doctor)
app.command("config")(looking.config)


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more; twice: everything.")] = 0,
) -> None:
    """Walks media files through pipelines and reports to Loom."""
    import logging

    levels = (logging.WARNING, logging.INFO, logging.DEBUG)
    logging.basicConfig(level=levels[min(verbose, 2)], format="%(levelname)s %(name)s: %(message)s")
