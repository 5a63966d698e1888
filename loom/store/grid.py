"""A run as a grid: assets by nodes, a letter each."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, func, select

from loom.model import Branch, Origin, Outcome, Reason, State, asset_uuid
from loom.packing import unpack_outcomes
from loom.shapes import GridShape
from loom.store.outcomes import run_row
from loom.store.runs import number_of
from loom.store.tables import assets, locations, outcomes
from loom.store.values import page_size, shown_path

NOTHING = "-"


def grid(connection: Connection, uuid: UUID, offset: int, limit: int) -> GridShape:
    """Rows from `offset` on, in the order in which the assets were walked. Raises `NOT_FOUND`."""
    run = run_row(connection, number_of(connection, uuid))
    last = connection.execute(select(func.max(outcomes.c.position)).where(outcomes.c.run == run.id)).scalar()
    width = len(run.steps)
    rows = [
        (asset_uuid(digest), shown_path(name or b""), letters(packed).ljust(width, NOTHING)[:width])
        for digest, name, packed in connection.execute(rows_of(run.id, offset, page_size(limit)))
    ]
    return GridShape(
        run=uuid,
        total=0 if last is None else last + 1,
        offset=offset,
        nodes=[step.node for step in run.steps],
        rows=rows,
    )


def rows_of(run: int, offset: int, limit: int) -> Select[Any]:
    """Found by position, never by counting; the name is that of a file which is present, if there is one."""
    name = (
        select(locations.c.name)
        .where(locations.c.asset == outcomes.c.asset)
        .order_by(locations.c.state, locations.c.directory, locations.c.name)
        .limit(1)
    )
    return (
        select(assets.c.blake3, name.scalar_subquery(), outcomes.c.packed)
        .join(assets, assets.c.id == outcomes.c.asset)
        .where(
            outcomes.c.run == run,
            outcomes.c.position >= offset,
            outcomes.c.position < offset + limit,
        )
        .order_by(outcomes.c.position)
    )


def letters(packed: bytes) -> str:
    return "".join([_letter(outcome) for outcome in unpack_outcomes(packed)])


def _letter(outcome: Outcome) -> str:
    """C computed, S stored, K skipped, F failed, B failed before."""
    if outcome.state is State.FAILED:
        return "F"
    if outcome.state is State.COMPLETED:
        return "C" if outcome.origin in (None, Origin.COMPUTED) else "S"
    if outcome.reason is not Reason.STORED:
        return "K"
    return "B" if outcome.verdict is Branch.ERROR else "S"
