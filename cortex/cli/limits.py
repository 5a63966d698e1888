"""`cortex limits`: how many files may be at a time in an operator, at a resource, or in work."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from cortex.cli.completing import operator_ids
from cortex.cli.options import JSON, LOOM
from loom.ending import in_utf8

if TYPE_CHECKING:
    from cortex.settings import CortexSettings
    from loom.verbs import Loom

RESOURCES = frozenset({"database", "effect", "gpu", "network"})
"""The capabilities that operators may declare; those that are installed may have more."""

_NAME = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="An operator's id, a capability or `jobs`.", autocompletion=operator_ids),
]
_NUMBER = Annotated[str | None, typer.Argument(metavar="N|none", help="The new limit in Loom.", show_default=False)]


class Row(NamedTuple):
    """A limit: what holds, and what Loom and this machine say. `origin`: where this machine's is set."""

    name: str
    number: int
    loom: int | None
    machine: int | None
    origin: str | None
    known: bool


def limits(name: _NAME = None, number: _NUMBER = None, loom: LOOM = None, json: JSON = False) -> int:
    """List how many files may be at a time in the nodes of an operator, at a resource, or (jobs) in work; with N, set
    it, also for runs that are at work; `none` lifts it."""
    from cortex.holding import connect
    from cortex.settings import CortexSettings

    settings = CortexSettings.load({"loom_url": loom})
    with connect(loom, write=number is not None) as there:
        known = _known(there)
        if name is not None and number is not None:
            there.set_limit(name, _checked(name, number, known | there.limits().keys()))
        rows = _rows(there.limits(), settings, known)
    shown = rows if name is None else [row for row in rows if row.name == name]
    if json:
        import msgspec

        told = [row._asdict() for row in shown]
        in_utf8(sys.stdout).write(msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n")
        return 0
    for row in shown:
        typer.echo(f"{row.name:<24} {row.number:>6}  {_source(row)}")
    if not shown:
        typer.echo("no limits" if name is None else f"{name} has no limit")
    return 0


def _known(loom: Loom) -> frozenset[str]:
    """What has files in work: operators that are installed here or where another worker is, but no sources."""
    from cortex.catalogue import load
    from cortex.engine.concurrency import JOBS

    catalogue = load()
    specs = [spec for one in catalogue.ids() if (spec := catalogue.spec(one)) is not None]
    here = {spec.id for spec in specs if not spec.is_source}
    elsewhere = {one for worker in loom.workers() for one in worker.operators} - {spec.id for spec in specs}
    resources = RESOURCES.union(*(spec.capabilities for spec in specs)) - {"source"}
    return frozenset({JOBS, *here, *elsewhere, *resources})


def _checked(name: str, number: str, known: frozenset[str]) -> int | None:
    """The number that was given. Raises `USAGE`."""
    from difflib import get_close_matches

    from loom.errors import LoomError

    if name not in known:
        near = get_close_matches(name, sorted(known), n=3)
        meant = f"; did you mean {' or '.join(near)}?" if near else "; `cortex operators` lists the operators"
        raise LoomError(
            "USAGE", f"{name!r} is neither an operator with files in work, nor a capability, nor jobs{meant}"
        )
    if number == "none":
        return None
    if not (number.isascii() and number.isdecimal() and 0 < int(number[:12]) < 2**31):
        raise LoomError("USAGE", f"a limit is a whole number from 1 on, or `none`, not {number!r}")
    return int(number)


def _rows(loom: Mapping[str, int], settings: CortexSettings, known: frozenset[str]) -> list[Row]:
    from cortex.engine.concurrency import smallest

    own = settings.limits
    return [
        Row(
            name,
            number,
            loom.get(name),
            own.get(name),
            settings.origins["limits"] if name in own else None,
            name in known,
        )
        for name, number in sorted(smallest(loom, own).items())
    ]


def _source(row: Row) -> str:
    here = f"this machine ({row.origin})"
    if row.machine is None:
        said = "Loom"
    elif row.loom is None:
        said = here
    else:
        said = f"{here}; Loom says {row.loom}" if row.machine <= row.loom else f"Loom; {here} says {row.machine}"
    return said if row.known else f"{said}; no operator that is known here has this name"
