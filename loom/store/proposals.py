"""Which groups of duplicates are proposed: what was found alike, but not grown together without end, and copies that
turn up of assets whose copies are watched."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, func, select

from loom.store import assets, duplicates
from loom.store.duplicates import Touched
from loom.store.statements import any_of, chunks, compiled, constant, fetch, fetch_each
from loom.store.tables import assets as asset_table
from loom.store.tables import duplicate_members, locations, results, signatures
from loom.store.tables import duplicates as groups
from loom.store.values import COMPLETED, PENDING, PRESENT, SIMILAR

EXACT_WATCHER = "dedup.exact"
"""Assets with a stored result of this operator are those whose copies are put before people."""

Members = Sequence[tuple[bytes, int]]


def propose(connection: Connection, kind: str, members: Members, now: int, touched: Touched) -> UUID | None:
    """See `loom.verbs.Library.propose`. Raises `REQUEST_INVALID` for another kind, and for distances that are none."""
    if kind != "similar":
        return duplicates.propose(connection, kind, members, now, touched)
    ids = assets.known(connection, [asset for asset, _ in members])
    near = {ids[asset]: (asset, distance) for asset, distance in members if asset in ids}
    if not near:
        return None
    first = next(iter(near))
    group_of, first_of = _pending_groups(connection, list(near))
    if first in group_of:
        uuid = connection.execute(select(groups.c.uuid).where(groups.c.id == group_of[first])).scalar_one()
        return UUID(bytes=uuid)
    heads = [head for head in first_of.values() if head in near]
    head = min(heads, key=lambda one: (near[one][1], one), default=None)
    chosen = [one for one in near if one in (first, head) or one not in group_of]
    return duplicates.propose(connection, kind, [near[one] for one in chosen], now, touched)


def _pending_groups(connection: Connection, numbers: Sequence[int]) -> tuple[dict[int, int], dict[int, int]]:
    """The pending group of each asset that is in one; of each such group the member that was known first."""
    found: dict[int, int] = dict(fetch_each(connection, _in_groups, numbers))
    heads: dict[int, int] = dict(fetch_each(connection, _heads, sorted(set(found.values()))))
    return found, heads


def copies_turned_up(connection: Connection, numbers: Collection[int], now: int) -> Touched:
    """Assets of which a file was found just now: those whose copies are watched are proposed if they have several.
    Returns the groups that this has made."""
    touched: Touched = set()
    watching = fetch(connection, compiled(connection, _watchers), (EXACT_WATCHER,))
    if not watching:
        return touched
    for piece in chunks(sorted(numbers)):
        several = fetch(connection, compiled(connection, _lying_twice, len(piece)), piece)
        for asset, blake3 in several:
            if any(fetch(connection, compiled(connection, _is_watched), (asset, number)) for (number,) in watching):
                duplicates.propose(connection, "exact", [(bytes(blake3), 0)], now, touched)
    return touched


def _in_groups(count: int) -> Select[tuple[int, int]]:
    at = duplicate_members.c
    similar = (groups.c.kind == constant(SIMILAR), groups.c.state == constant(PENDING))
    return select(at.asset, at.duplicate).join(groups).where(any_of(at.asset, count), *similar)


def _heads(count: int) -> Select[tuple[int, int]]:
    at = duplicate_members.c
    return select(at.duplicate, func.min(at.asset)).where(any_of(at.duplicate, count)).group_by(at.duplicate)


def _watchers() -> Select[tuple[int]]:
    return select(signatures.c.id).where(signatures.c.operator == bindparam("operator"))


def _lying_twice(count: int) -> Select[tuple[int, bytes]]:
    at = locations.c
    return (
        select(asset_table.c.id, asset_table.c.blake3)
        .join(locations, at.asset == asset_table.c.id)
        .where(any_of(at.asset, count), at.state == constant(PRESENT))
        .group_by(asset_table.c.id, asset_table.c.blake3)
        .having(func.count() > constant(1))
    )


def _is_watched() -> Select[tuple[int]]:
    at = results.c
    key = (at.asset == bindparam("of"), at.signature == bindparam("under"))
    return select(at.asset).where(*key, at.state == constant(COMPLETED))
