"""Groups of duplicates, as operators propose them.

What people decided is not proposed again: two assets that stand in one rejected group, or of which one was left out
when the other was confirmed, do not come into one pending group.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, delete, insert, select

from loom.errors import LoomError
from loom.events import DuplicateEvent
from loom.store import assets
from loom.store.apart import Decisions
from loom.store.copies import copies_of
from loom.store.statements import chunks, upsert
from loom.store.tables import duplicate_files, duplicate_members, duplicates
from loom.store.values import DUPLICATE_KINDS, DUPLICATE_STATES, EXACT, MEMBER, PENDING, SIMILAR

Near = dict[int, int]
"""By asset: by how many bits it differs from the member of its group that is nearest."""

Touched = set[UUID]
"""Groups that are not what they were."""

_MOST_BITS = 32_767


def propose(
    connection: Connection, kind: str, members: Sequence[tuple[bytes, int]], now: int, touched: Touched
) -> UUID | None:
    """Says that assets may be duplicates; gives the pending group that they are in, None if nothing is to be decided.

    `kind` is `exact` for an asset of which several copies lie somewhere, `similar` for several assets. A member is the
    BLAKE3 of an asset that is stored and by how many bits it differs from the first, which has 0; assets that are not
    known are passed over. Pending groups with a member in common become one, so that the groups are the same whatever
    the order of the proposals; but where people decided that two belong apart, it depends on the order into which of
    two groups those come that are near both. The groups that it makes, changes or takes away are `touched`. Raises
    `REQUEST_INVALID` for another kind, and for a distance that is none.
    """
    if kind not in DUPLICATE_KINDS:
        raise LoomError("REQUEST_INVALID", f"There are no duplicates of the kind {kind!r}.")
    if any(not 0 <= distance <= _MOST_BITS for _, distance in members):
        raise LoomError("REQUEST_INVALID", "A distance is a number of bits.")
    ids = assets.known(connection, sorted({digest for digest, _ in members}))
    near: Near = {}
    for digest, distance in sorted(members, key=lambda one: (one[1], one[0])):
        if digest in ids:
            near.setdefault(ids[digest], distance)
    if not near:
        return None
    if kind == "exact":
        return _propose_copies(connection, next(iter(near)), now, touched)
    return propose_similar(connection, near, now, touched)


def propose_similar(connection: Connection, near: Near, now: int, touched: Touched) -> UUID | None:
    """The assets by their number, the first in question first."""
    pending = _pending(connection, SIMILAR, near)
    holding = {group: members_of(connection, group) for group in pending}
    decided = Decisions(connection, {*near, *(asset for members in holding.values() for asset in members)})
    first, *others = near
    open_ = [asset for asset in others if not decided.join(first, asset) and not decided.part(first, asset)]
    if not open_:
        return None
    nearby = {asset: near[asset] for asset in open_}
    return _bring_together(connection, first, nearby, holding, decided, now, touched)


def unite(connection: Connection, group: int, touched: Touched) -> None:
    """A group of similar assets that is pending again takes in those that share a member with it."""
    members = members_of(connection, group)
    others = [other for other in _pending(connection, SIMILAR, members) if other != group]
    holding = {other: members_of(connection, other) for other in others}
    decided = Decisions(connection, {*members, *(asset for theirs in holding.values() for asset in theirs)})
    _take_in(connection, members, holding, decided, touched)
    _write_members(connection, group, members)


def remove(connection: Connection, groups: Sequence[int], touched: Touched) -> None:
    """Groups that became part of others."""
    touched.update(_uuid_of(connection, group) for group in groups)
    for table in (duplicate_members, duplicate_files):
        connection.execute(delete(table).where(table.c.duplicate.in_(groups)))
    connection.execute(delete(duplicates).where(duplicates.c.id.in_(groups)))


def row_of(connection: Connection, uuid: UUID, *, lock: bool = False) -> Row[Any]:
    """Raises `NOT_FOUND`."""
    statement = select(duplicates).where(duplicates.c.uuid == uuid.bytes)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None:
        raise LoomError("NOT_FOUND", f"There is no group of duplicates {uuid}.")
    return row


def events_of(connection: Connection, touched: Touched, now: int) -> list[DuplicateEvent]:
    """What is to be told of groups, in the transaction that has touched them."""
    statement = select(duplicates.c.uuid, duplicates.c.kind, duplicates.c.state)
    found = {
        UUID(bytes=row.uuid): (DUPLICATE_KINDS[row.kind], DUPLICATE_STATES[row.state])
        for piece in chunks(sorted(uuid.bytes for uuid in touched))
        for row in connection.execute(statement.where(duplicates.c.uuid.in_(set(piece))))
    }
    return [DuplicateEvent(now, uuid, *found.get(uuid, (None, "GONE"))) for uuid in sorted(touched)]


def members_of(connection: Connection, group: int) -> Near:
    statement = select(duplicate_members.c.asset, duplicate_members.c.distance)
    rows = connection.execute(statement.where(duplicate_members.c.duplicate == group))
    return {row.asset: row.distance for row in rows}


def pending_copies(connection: Connection, asset: int) -> list[int]:
    """The pending groups of exact copies of an asset, the oldest first."""
    return _pending(connection, EXACT, [asset])


def _bring_together(
    connection: Connection,
    first: int,
    others: Near,
    holding: dict[int, Near],
    decided: Decisions,
    now: int,
    touched: Touched,
) -> UUID:
    """Puts the first into one group with each of the others; into several, where some of these belong apart."""
    target = next((group for group, members in holding.items() if _would_fit(members, first, others, decided)), None)
    before = {} if target is None else holding.pop(target)
    joined: Near = {}
    for asset, distance in others.items():
        if decided.fit([*before, *joined], [asset]):
            joined[asset] = distance
    members = _nearest(before, {first: min(joined.values()), **joined})
    if target is None:
        uuid = _make(connection, SIMILAR, members, now)
    else:
        _take_in(connection, members, holding, decided, touched)
        uuid = _uuid_of(connection, target)
    if target is not None and members != before:
        _write_members(connection, target, members)
    if members != before:
        touched.add(uuid)
    both = {asset for theirs in holding.values() if first in theirs for asset in theirs}
    rest = {asset: distance for asset, distance in others.items() if asset not in members and asset not in both}
    if rest:
        _bring_together(connection, first, rest, holding, decided, now, touched)
    return uuid


def _would_fit(members: Near, first: int, others: Near, decided: Decisions) -> bool:
    return decided.fit(members, [first]) and any(decided.fit(members, [asset]) for asset in others)


def _take_in(
    connection: Connection, members: Near, holding: dict[int, Near], decided: Decisions, touched: Touched
) -> None:
    """Adds the members of other groups, which are no more then, as far as they fit and share one."""
    taken = []
    for group, theirs in list(holding.items()):
        if members.keys() & theirs.keys() and decided.fit(members, theirs):
            members.update(_nearest(members, holding.pop(group)))
            taken.append(group)
    remove(connection, taken, touched)


def _nearest(one: Near, other: Near) -> Near:
    return {asset: min(d[asset] for d in (one, other) if asset in d) for asset in one.keys() | other.keys()}


def _propose_copies(connection: Connection, asset: int, now: int, touched: Touched) -> UUID | None:
    places = {place.key for place in copies_of(connection, [asset]).get(asset, ())}
    if len(places) < 2 or any(places <= decided for decided in _decided_copies(connection, asset).values()):
        return None
    for group in pending_copies(connection, asset):
        return _uuid_of(connection, group)
    touched.add(made := _make(connection, EXACT, {asset: 0}, now))
    return made


def _decided_copies(connection: Connection, asset: int) -> dict[int, set[bytes]]:
    """The places of its copies in each group that people decided on."""
    statement = (
        select(duplicate_files.c.duplicate, duplicate_files.c.key)
        .join(duplicates, duplicates.c.id == duplicate_files.c.duplicate)
        .join(duplicate_members, duplicate_members.c.duplicate == duplicates.c.id)
        .where(duplicate_members.c.asset == asset, duplicates.c.state != PENDING)
    )
    found: dict[int, set[bytes]] = defaultdict(set)
    for group, key in connection.execute(statement):
        found[group].add(key)
    return found


def _pending(connection: Connection, kind: int, numbers: Iterable[int]) -> list[int]:
    """The pending groups that hold any of these assets, the oldest first."""
    found: set[int] = set()
    for piece in chunks(sorted(numbers)):
        statement = (
            select(duplicates.c.id)
            .join(duplicate_members, duplicate_members.c.duplicate == duplicates.c.id)
            .where(duplicate_members.c.asset.in_(set(piece)), duplicates.c.kind == kind, duplicates.c.state == PENDING)
        )
        found.update(connection.execute(statement).scalars())
    return sorted(found)


def _uuid_of(connection: Connection, group: int) -> UUID:
    return UUID(bytes=connection.execute(select(duplicates.c.uuid).where(duplicates.c.id == group)).scalar_one())


def _make(connection: Connection, kind: int, members: Near, now: int) -> UUID:
    uuid = uuid4()
    made = insert(duplicates).values(uuid=uuid.bytes, kind=kind, state=PENDING, created=now)
    group = connection.execute(made.returning(duplicates.c.id)).scalar_one()
    _write_members(connection, group, members)
    return uuid


def _write_members(connection: Connection, group: int, members: Near) -> None:
    rows = [(group, asset, distance, MEMBER) for asset, distance in sorted(members.items())]
    upsert(connection, duplicate_members, list(rows))
