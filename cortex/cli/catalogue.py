"""`cortex operators`."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from cortex.cli.completing import operator_ids
from cortex.cli.options import JSON
from loom.ending import in_utf8, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from loom.graph.specs import OperatorSpec

FAMILIES = {
    "source": "where files come from",
    "hash": "checksums",
    "media": "all kinds of media",
    "image": "pictures",
    "video": "films",
    "audio": "sound",
    "text": "documents",
    "archive": "archives",
    "asset": "files that belong together",
    "vision": "what is to be seen",
    "llm": "language models",
    "dedup": "duplicates, put before people",
    "filter": "which assets go on, and where",
    "script": "programs of your own",
    "sink": "where things go: collections, tags, folders, servers",
}
"""What the operators of a family are about, in the order in which they are shown; those of others come last."""


def operators(
    operator: Annotated[
        str | None, typer.Argument(metavar="ID", help="One operator in full.", autocompletion=operator_ids)
    ] = None,
    json: JSON = False,
) -> int:
    """List the operators that definitions may use; with ID: ports, options, outputs, what it needs and refuses."""
    from cortex.catalogue import load
    from loom.errors import LoomError

    catalogue = load()
    if operator is not None:
        spec = catalogue.spec(operator)
        if spec is None:
            unknown = f"there is no operator {operator!r}; `cortex operators` lists them"
            raise LoomError("NOT_FOUND", catalogue.why_unknown(operator) or unknown)
        specs = [spec]
    else:
        specs = [spec for name in sorted(catalogue.ids()) if (spec := catalogue.spec(name)) is not None]
    if json:
        import msgspec

        in_utf8(sys.stdout).write(msgspec.json.format(msgspec.json.encode(specs), indent=2).decode() + "\n")
    elif operator is not None:
        from cortex.cli.describing import described

        typer.echo("\n".join(described(specs[0], catalogue)))
    else:
        typer.echo("\n".join(listed(specs)))
        if problems := catalogue.problems():
            say(f"{len(problems)} of others cannot be used as they are: `cortex doctor` says why")
    return 0


def listed(specs: Sequence[OperatorSpec]) -> Iterator[str]:
    """The operators family by family, a line each."""
    width = max((len(spec.id) for spec in specs), default=0)
    for family, members in _by_family(specs):
        about = FAMILIES.get(family)
        yield family if about is None else f"{family}: {about}"
        yield from (f"  {spec.id:<{width}}  {spec.summary}" for spec in members)
        yield ""
    yield "`cortex operators ID` shows one in full."


def _by_family(specs: Iterable[OperatorSpec]) -> Iterator[tuple[str, list[OperatorSpec]]]:
    order = list(FAMILIES)

    def place(spec: OperatorSpec) -> tuple[int, str]:
        family = spec.id.partition(".")[0]
        return order.index(family) if family in FAMILIES else len(order), family

    for (_, family), members in groupby(sorted(specs, key=lambda spec: (*place(spec), spec.id)), key=place):
        yield family, list(members)
