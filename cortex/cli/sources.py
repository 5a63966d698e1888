"""`cortex sources`: folders that are known by a name."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cortex.cli.completing import pipeline_names, source_names
from cortex.cli.options import EXCLUDE, HIDDEN, INCLUDE, JSON, LOOM
from loom.ending import in_utf8

if TYPE_CHECKING:
    from loom.sources import SourceShape


NAME = Annotated[str, typer.Argument(metavar="NAME", help="A stored source.", autocompletion=source_names)]
SOURCE = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME", help="A stored source, with its options, wherever it lies now.", autocompletion=source_names
    ),
]


def sources(context: typer.Context, loom: LOOM = None, json: JSON = False) -> int:
    """List, add and change sources: folders that are known by a name, wherever their disk is mounted."""
    return list_(loom, json) if context.invoked_subcommand is None else 0


def list_(loom: LOOM = None, json: JSON = False) -> int:
    """List the stored sources."""
    from cortex.holding import connect

    with connect(loom) as there:
        found = there.sources()
    for source in found:
        if json:
            _print_json(source)
            continue
        on = "" if source.host == platform.node() else f"{source.host}:"
        seen = f", looked for {source.seen}" if source.seen else ""
        typer.echo(f"{source.name:<16}  {source.state:<11}  {source.files:>9,} files  {on}{_printable(source)}{seen}")
    if not found and not json:
        typer.echo("no sources")
    return 0


def add(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder, or a file, on this machine.")],
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Default: made of the folder's name.")] = None,
    pipeline: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A stored pipeline; default: by `match`.", autocompletion=pipeline_names),
    ] = None,
    include: INCLUDE = None,
    exclude: EXCLUDE = None,
    hidden: HIDDEN = False,
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Store a folder as a source; again: with these options, and as the disk that it is on now."""
    from cortex.holding import connect
    from cortex.sources.storing import add_source
    from loom.sources import SourceOptions

    options = SourceOptions(
        pipeline=pipeline, include=tuple(include or ()), exclude=tuple(exclude or ()), hidden=hidden
    )
    with connect(loom, write=True) as there:
        _tell(add_source(there, path, name, options), json=json)
    return 0


def show(name: NAME, loom: LOOM = None, json: JSON = False) -> int:
    """Show one source with its options and by what it is known again."""
    from cortex.holding import connect

    with connect(loom) as there:
        _tell(there.source(name), json=json)
    return 0


def remove(name: NAME, loom: LOOM = None) -> int:
    """Forget the name of a source. Its files, and what is known of them, stay as they are."""
    from cortex.holding import connect

    with connect(loom, write=True) as there:
        there.remove_source(name)
    typer.echo(f"{name} is no source any more")
    return 0


def mark(name: NAME, loom: LOOM = None, json: JSON = False) -> int:
    """Write a file `.loom-source` into the folder, by which it is known again wherever it is moved."""
    from cortex.holding import connect
    from cortex.sources.storing import mark_source

    with connect(loom, write=True) as there:
        _tell(mark_source(there, name), json=json)
    return 0


def move(
    name: NAME,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Where it lies now, on this machine.")],
    loom: LOOM = None,
    json: JSON = False,
) -> int:
    """Say that a source lies elsewhere now, and all its files with it."""
    from cortex.holding import connect
    from cortex.sources.storing import move_source

    with connect(loom, write=True) as there:
        _tell(move_source(there, name, path), json=json)
    return 0


def _tell(source: SourceShape, *, json: bool) -> None:
    if json:
        _print_json(source)
        return
    options = source.options
    rows = [
        ("name", source.name),
        ("path", f"{source.host}:{_printable(source)}"),
        ("state", f"{source.state}, {source.files:,} files" + (f", looked for {source.seen}" if source.seen else "")),
        ("known by", _in_words(source)),
        *([("pipeline", options.pipeline)] if options.pipeline is not None else []),
        *([("include", "  ".join(options.include))] if options.include else []),
        *([("exclude", "  ".join(options.exclude))] if options.exclude else []),
        *([("hidden", "yes")] if options.hidden else []),
    ]
    typer.echo("\n".join(f"{label:<9} {value}" for label, value in rows))


def _in_words(source: SourceShape) -> str:
    from cortex.report.plain import printable

    marker = source.marker
    if marker is None:
        return "its path; `cortex sources mark` lets it be known elsewhere, too"
    if marker.kind == "file":
        return f"the file .loom-source in it ({marker.id})"
    return f"its disk ({marker.id}, {printable(marker.inside)})"


def _printable(source: SourceShape) -> str:
    from cortex.report.plain import printable

    return printable(source.path)


def _print_json(source: SourceShape) -> None:
    import msgspec

    in_utf8(sys.stdout).write(f"{msgspec.json.encode(source).decode()}\n")
