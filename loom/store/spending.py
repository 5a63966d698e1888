"""What a run has spent, told from the results that it has stored: where its worker cannot say it, or knows a part."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, select

from loom.spending import METERED, Spent, spent_on
from loom.store.tables import outcomes, results, runs, signatures, steps
from loom.store.values import COMPLETED


def spent_until_now(connection: Connection, number: int) -> Spent | None:
    """Results that a later run has computed anew are not found any more."""
    mine = select(steps.c.signature).join(runs, runs.c.steps == steps.c.list).where(runs.c.id == number)
    metered = mine.join(signatures, signatures.c.id == steps.c.signature).where(signatures.c.operator.in_(METERED))
    known = sorted(set(connection.execute(metered).scalars()))
    if not known:
        return None
    told = (
        select(results.c.outputs)
        .join(outcomes, outcomes.c.asset == results.c.asset)
        .where(outcomes.c.run == number, results.c.run == number)
        .where(results.c.signature.in_(known), results.c.state == COMPLETED)
    )
    return spent_on(connection.execute(told).scalars())


def written(spent: Spent | None) -> str | None:
    return None if spent is None else msgspec.json.encode(spent).decode()


def read(told: str | None) -> Spent | None:
    return None if told is None else msgspec.json.decode(told, type=Spent)
