"""Assets that are alike by what a model says of them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, Select, select

from loom.errors import LoomError
from loom.people import AlikeShape
from loom.store import assets, shown
from loom.store.peoplelist import lies
from loom.store.statements import any_of, fetch_each
from loom.store.tables import vectors
from loom.store.vectorindex import Near, VectorIndex, Vectors
from loom.store.vectors import directions
from loom.verbs.people import FARTHEST, MOST_NEAR, WHOLE, AlikeBy

_MORE = 8
"""By so much more is asked for where too few of what is near lie somewhere."""


def alike(
    connection: Connection, index: VectorIndex, uuid: UUID, of: AlikeBy | None, distance: float, limit: int
) -> list[AlikeShape]:
    """See `loom.verbs.People.asset_alike`. The caller is alone with the index."""
    if not 0 <= distance <= FARTHEST or not 1 <= limit <= MOST_NEAR:
        raise LoomError("REQUEST_INVALID", f"A distance is 0 to {FARTHEST:g}, and a limit 1 to {MOST_NEAR}.")
    number = assets.by_uuid(connection, uuid)
    own = next((row for kind in WHOLE if of in (None, kind) and (row := _newest(connection, number, kind))), None)
    if own is None:
        return []
    kind, model, bits = own
    found = _nearest(connection, index.caught_up(connection, kind, model), number, bits, distance, limit)
    known = shown.several(connection, list(found))
    return [AlikeShape(asset=known[other], distance=apart) for other, apart in found.items()]


def _newest(connection: Connection, asset: int, kind: str) -> tuple[str, str, bytes] | None:
    at = vectors.c
    mine = select(at.kind, at.model, at.bits).where(at.asset == asset, at.kind == kind)
    row = connection.execute(mine.order_by(at.id.desc()).limit(1)).one_or_none()
    return None if row is None else (row.kind, row.model, bytes(row.bits))


def _nearest(
    connection: Connection, kept: Vectors, asset: int, bits: bytes, distance: float, limit: int
) -> dict[int, float]:
    """Each asset once, at its nearest; those that lie nowhere left out. More is asked for until there are enough."""
    vector, most = directions([bits])[0], limit + 1
    while True:
        near = kept.near(vector, most, distance)
        found = _lying(connection, kept, near)
        found.pop(asset, None)
        if len(found) >= limit or len(near) < most:
            return dict(list(found.items())[:limit])
        most *= _MORE


def _lying(connection: Connection, kept: Vectors, near: list[Near]) -> dict[int, float]:
    numbers = [one.number for one in near]
    rows = {number: (asset, there) for number, asset, there in fetch_each(connection, _assets_of, numbers)}
    kept.drop([number for number in numbers if number not in rows])
    found: dict[int, float] = {}
    for one in near:
        if one.number in rows and rows[one.number][1]:
            found.setdefault(rows[one.number][0], one.distance)
    return found


def _assets_of(count: int) -> Select[tuple[int, int, bool]]:
    return select(vectors.c.id, vectors.c.asset, lies()).where(any_of(vectors.c.id, count))
