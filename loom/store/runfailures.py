"""Failures of one run, found in its outcomes a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from loom.packing import unpack_outcomes
from loom.steering import Selection
from loom.store import assets
from loom.store.outcomes import PIECE, RunRow, has_failed, rows_of
from loom.store.runs import StepRow
from loom.store.statements import any_of, constant, fetch_each
from loom.store.tables import results
from loom.store.values import FAILED


class InRun(NamedTuple):
    """A failed result that an outcome of the run has."""

    asset: int
    step: StepRow
    code: str | None
    finished: int
    aside: bool
    cause: str


class Piece(NamedTuple):
    """Failures that follow each other. `following` is the asset at which to go on."""

    failures: list[InRun]
    following: int


def pieces(connection: Connection, run: RunRow, selection: Selection, first: int = 0) -> Iterator[Piece]:
    """The failures that are meant, from asset number `first` on. Those that have been made good since are left out."""
    if selection.node is not None and all(step.node != selection.node for step in run.steps):
        return
    only = None if selection.asset is None else assets.by_uuid(connection, selection.asset)
    first = first if only is None else max(first, only)
    while True:
        rows = rows_of(connection, run.id, first, only_failed=True)
        if only is not None:
            rows = [row for row in rows if row[0] == only]
        if rows:
            yield Piece(_failures(connection, run, selection, rows), rows[-1][0] + 1)
        if only is not None or len(rows) < PIECE:
            return
        first = rows[-1][0] + 1


def _failures(
    connection: Connection, run: RunRow, selection: Selection, rows: list[tuple[int, bytes, bytes]]
) -> list[InRun]:
    found = fetch_each(connection, _results_of, [row[0] for row in rows])
    stored = {(row[0], row[1]): row[2:] for row in found}
    meant = []
    for asset, _, packed in rows:
        for step, outcome in zip(run.steps, unpack_outcomes(packed), strict=False):
            if not has_failed(outcome) or selection.node not in (None, step.node):
                continue
            result = stored.get((asset, step.signature))
            if result is not None and _is_meant(selection, *result):
                meant.append(InRun(asset, step, result[0], result[1], result[2] is not None, result[3] or ""))
    return meant


def _is_meant(selection: Selection, code: str | None, finished: int, aside: int | None, cause: str | None) -> bool:
    return (
        selection.code in (None, code)
        and selection.cause in (None, cause)
        and (selection.aside or aside is None)
        and (selection.since is None or finished >= selection.since)
        and (selection.until is None or finished < selection.until)
    )


def _results_of(count: int) -> Select[Any]:
    at = results.c
    columns = (at.asset, at.signature, at.error_code, at.finished, at.aside, at.cause)
    return select(*columns).where(any_of(results.c.asset, count), results.c.state == constant(FAILED))
