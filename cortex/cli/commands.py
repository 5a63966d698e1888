"""The commands of `cortex`. Each lives in a file of its own and imports what it needs only when it is called."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from cortex.cli.interrupting import beginning
from loom.verbosity import speak, speaking

COMMANDS = {
    "ingest": "ingesting:ingest",
    "watch": "watching:watch",
    "worker": "working:worker",
    "pipeline check": "definitions:check",
    "pipeline push": "definitions:push",
    "pipeline pull": "definitions:pull",
    "pipeline list": "definitions:list_",
    "pipeline show": "definitions:show",
    "pipeline graph": "definitions:graph",
    "runs list": "running:list_",
    "runs show": "running:show",
    "runs start": "running:start",
    "runs pause": "running:pause",
    "runs resume": "running:resume",
    "runs cancel": "running:cancel",
    "sources list": "sources:list_",
    "sources show": "sources:show",
    "sources add": "sources:add",
    "sources remove": "sources:remove",
    "sources mark": "sources:mark",
    "sources move": "sources:move",
    "duplicates list": "duplicates:list_",
    "duplicates show": "duplicates:show",
    "duplicates confirm": "duplicates:confirm",
    "duplicates reject": "duplicates:reject",
    "duplicates reopen": "duplicates:reopen",
    "duplicates apply": "duplicates:apply",
    "people list": "people:list_",
    "people show": "people:show",
    "people name": "people:name",
    "people merge": "people:merge",
    "people split": "people:split",
    "shm run": "shm:run",
    "shm top": "shm:top",
    "undo": "undo:undo",
    "limits": "limits:limits",
    "operators": "catalogue:operators",
    "operator new": "creating:new",
    "show": "looking:show",
    "export": "exporting:export",
    "failures": "failures:failures",
    "doctor": "looking:doctor",
    "config": "looking:config",
}
"""The file of this package, and its function."""
ALONE = {"sources": "sources:sources", "duplicates": "duplicates:duplicates", "people": "people:people"}
"""What a group does without a command of it."""
HELP = {
    "pipeline": "Check, store, fetch and show pipeline definitions.",
    "runs": "List, start, pause, resume and cancel runs.",
    "operator": "Write an operator of your own.",
    "shm": "Run process pipelines over shared memory, and watch them.",
}
"""Of the other groups."""


def make_app(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command line. When `arguments` call for a command it has no other: to get all ready takes longer than some
    of them work."""
    app = typer.Typer(
        name="cortex",
        help="Walks media files through pipelines and reports to Loom.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"auto_envvar_prefix": "CORTEX", "help_option_names": ["-h", "--help"]},
    )
    app.callback()(common)
    first = next((argument for argument in arguments if not argument.startswith("-")), None)
    called_for = {path: function for path, function in COMMANDS.items() if path.split()[0] == first}
    groups: dict[str, typer.Typer] = {}
    for path, function in (called_for or COMMANDS).items():
        group, _, name = path.partition(" ")
        if name and group not in groups:
            groups[group] = _add_group(app, group)
        (groups[group] if name else app).command(name or group)(_offered(function))
    return app


def _add_group(app: typer.Typer, name: str) -> typer.Typer:
    if name in HELP:
        group = typer.Typer(help=HELP[name], no_args_is_help=True)
    else:
        group = typer.Typer()
        group.callback(invoke_without_command=True)(_offered(ALONE[name]))
    app.add_typer(group, name=name)
    return group


def _offered(function: str) -> Callable[..., int]:
    file, _, name = function.partition(":")
    return speaking(beginning(getattr(importlib.import_module(f"cortex.cli.{file}"), name)))


def common(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more; twice: everything.")] = 0,
) -> None:
    """Walks media files through pipelines and reports to Loom."""
    speak((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)])
