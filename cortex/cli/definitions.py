"""`cortex pipeline check | push | pull | list | show | graph`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cortex.cli.completing import pipeline_names
from cortex.cli.options import JSON, LOOM
from loom.ending import in_utf8, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loom.graph.diagnostics import Diagnostic

FILE = Annotated[Path, typer.Argument(metavar="FILE", help="A definition as .yaml, .json or .toml.")]
NAME = Annotated[str, typer.Argument(metavar="NAME", autocompletion=pipeline_names)]
VERSION = Annotated[int | None, typer.Option("--version", min=1, help="An earlier version.")]


def check(file: FILE, json: JSON = False) -> int:
    """Check a definition: every problem at once; exit code 2 when there is an error."""
    from cortex.catalogue import load
    from loom.graph.compiler import compile_definition
    from loom.graph.definition import read_document

    compiled = compile_definition(read_document(file), load(), lacking="error")
    if json:
        _print_json({"valid": compiled.plan is not None, "diagnostics": list(compiled.diagnostics)})
    else:
        _print_diagnostics(file, compiled.diagnostics)
        if compiled.plan is not None:
            steps = " -> ".join(step.node for step in compiled.plan.steps)
            typer.echo(f"{file}: pipeline {compiled.plan.pipeline} is valid: {steps}")
    return 0 if compiled.plan is not None else 2


def push(
    file: FILE,
    loom: LOOM = None,
    force: Annotated[bool, typer.Option("--force", help="Store it even if it cannot run on this machine.")] = False,
) -> int:
    """Store a definition; a new version when it changes something. One that cannot run here is refused."""
    from cortex.catalogue import load
    from cortex.holding import connect
    from loom.graph.compiler import compile_definition
    from loom.graph.definition import read_document
    from loom.graph.diagnostics import DefinitionError

    document = read_document(file)
    compiled = compile_definition(document, load(), lacking="error")
    if compiled.plan is None:
        _print_diagnostics(file, compiled.diagnostics)
        if not force:
            say(f"{file} is not stored; where another machine has what it needs, --force stores it")
            return 2
    with connect(loom, write=True) as there:
        try:
            stored = there.save_pipeline(document)
        except DefinitionError as error:
            if compiled.plan is not None:
                _print_diagnostics(file, error.diagnostics)
            return error.exit_code
    typer.echo(f"{stored.name} is stored as version {stored.version}")
    return 0


def pull(
    name: NAME,
    version: VERSION = None,
    loom: LOOM = None,
    format: Annotated[str, typer.Option(help="yaml, json or toml")] = "yaml",  # noqa: A002
) -> int:
    """Print a stored definition, ready to be edited and pushed."""
    from cortex.holding import connect
    from loom.graph.definition import Pipeline, dumps

    with connect(loom) as there:
        stored = there.pipeline(name, version)
    in_utf8(sys.stdout).write(dumps(Pipeline.model_validate(stored.definition), format))
    return 0


def list_(loom: LOOM = None, json: JSON = False) -> int:
    """List the stored pipelines."""
    from cortex.holding import connect
    from cortex.paging import everything

    with connect(loom) as there:
        stored = list(everything(there.pipelines))
    if json:
        _print_json(stored)
        return 0
    for pipeline in sorted(stored, key=lambda p: (-p.priority, p.name)):
        off = "" if pipeline.enabled else "  (off)"
        typer.echo(f"{pipeline.name}  version {pipeline.version}  priority {pipeline.priority}{off}")
        if pipeline.description:
            typer.echo(f"    {pipeline.description}")
    return 0


def show(name: NAME, version: VERSION = None, loom: LOOM = None, json: JSON = False) -> int:
    """Show a stored pipeline, its versions and its nodes in the order of their work."""
    from cortex.catalogue import load
    from cortex.holding import connect
    from loom.graph.compiler import compile_definition

    with connect(loom) as there:
        stored = there.pipeline(name, version)
        versions = there.pipeline_versions(name)
    if json:
        _print_json(stored)
        return 0
    typer.echo(f"{stored.name} version {stored.version} of {versions[0].version}, stored {stored.created}")
    if stored.description:
        typer.echo(stored.description)
    typer.echo(f"{'on' if stored.enabled else 'off'}, priority {stored.priority}")
    compiled = compile_definition(stored.definition, load())
    _print_diagnostics(Path(name), compiled.diagnostics)
    for step in compiled.plan.steps if compiled.plan else ():
        typer.echo(f"  {step.index + 1:>3}  {step.node:<24} {step.operator} {step.operator_version}")
    return 0


def graph(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", autocompletion=pipeline_names)],
    loom: LOOM = None,
) -> int:
    """Draw a pipeline as a Mermaid flow chart."""
    from cortex.holding import connect
    from loom.graph.definition import parse, read_document

    if Path(name).suffix in {".yaml", ".yml", ".json", ".toml"}:
        document = read_document(Path(name))
    else:
        with connect(loom) as there:
            document = there.pipeline(name).definition
    pipeline = parse(document)
    lines = ["flowchart LR"]
    lines.extend(f'  {node.id}["{node.id}<br/>{node.operator}"]' for node in pipeline.graph.nodes)
    for edge in pipeline.graph.edges:
        port = edge.source.port if edge.source.port != "out" else ""
        words = " ".join(filter(None, (port, edge.branch)))
        label = f"|{words}|" if words else ""
        lines.append(f"  {edge.source.node} -->{label} {edge.target.node}")
    typer.echo("\n".join(lines))
    return 0


def _print_diagnostics(file: Path, diagnostics: Sequence[Diagnostic]) -> None:
    from cortex.app import diagnostic_line

    for found in diagnostics:
        typer.echo(f"{file}: {diagnostic_line(found)}", err=True)


def _print_json(value: object) -> None:
    import msgspec

    in_utf8(sys.stdout).write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
