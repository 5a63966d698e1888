"""`cortex operators`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cortex.cli.completing import operator_ids
from cortex.cli.options import JSON
from loom.ending import in_utf8

if TYPE_CHECKING:
    from loom.graph.specs import OperatorSpec, Port


def operators(
    operator: Annotated[
        str | None, typer.Argument(metavar="ID", help="One operator in full.", autocompletion=operator_ids)
    ] = None,
    json: JSON = False,
) -> int:
    """List the operators that definitions may use; with ID: ports, config, capabilities, requirements."""
    from cortex.catalogue import load
    from loom.errors import LoomError

    catalogue = load()
    if operator is not None:
        spec = catalogue.spec(operator)
        if spec is None:
            raise LoomError("NOT_FOUND", f"there is no operator {operator!r}; `cortex operators` lists them")
        specs = [spec]
    else:
        specs = [spec for name in sorted(catalogue.ids()) if (spec := catalogue.spec(name)) is not None]
    if json:
        import msgspec

        in_utf8(sys.stdout).write(msgspec.json.format(msgspec.json.encode(specs), indent=2).decode() + "\n")
    elif operator is not None:
        _print_whole(specs[0])
    else:
        for spec in specs:
            typer.echo(f"{spec.id:<20} {spec.summary}")
    return 0


def _print_whole(spec: OperatorSpec) -> None:
    kinds = ", ".join(sorted(spec.kinds)) or "every kind"
    reads = "all ancestors" if spec.reads is None else ", ".join(spec.reads) or "nothing"
    verdicts = {True: "PASS or FAIL", False: "PASS", None: "unknown"}[spec.verdicts]
    lines = [
        f"{spec.id}  version {spec.version}",
        "",
        spec.description or spec.summary,
        "",
        f"kinds         {kinds}",
        f"verdicts      {verdicts}",
        f"reads         {reads}",
        f"capabilities  {', '.join(sorted(spec.capabilities)) or 'none'}",
        f"requires      {', '.join(f'{r.kind} {r.name}' for r in spec.requires) or 'nothing'}",
        f"ports         in: {_ports(spec.inputs)}; out: {_ports(spec.outputs)}",
        "",
        "config",
        *_fields(spec),
        "",
        "outputs",
        *(f"  {value.key:<18} {value.type:<10} {value.description}" for value in spec.values),
    ]
    typer.echo("\n".join(lines))


def _ports(ports: tuple[Port, ...]) -> str:
    return ", ".join(f"{port.id} ({port.content_type})" for port in ports) or "none"


def _fields(spec: OperatorSpec) -> list[str]:
    fields = spec.config_schema.get("properties", {})
    return [
        f"  {name:<18} {_type(field):<24} {_default(field):<18} {field.get('description', '')}"
        for name, field in fields.items()
    ]


def _default(field: dict[str, object]) -> str:
    return f"default {field['default']}" if "default" in field else "required"


def _type(field: dict[str, object]) -> str:
    enum = field.get("enum")
    if isinstance(enum, list):
        return "|".join(map(str, enum))
    bounds = [f"{sign}{field[key]}" for key, sign in (("minimum", "≥"), ("maximum", "≤")) if key in field]
    return " ".join([str(field.get("type", "any")), *bounds])
