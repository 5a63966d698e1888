"""Groups of assets that belong together: told by operators, shown to people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, insert, select

from loom.assetgroups import AssetGroupShape, GroupKind, GroupMember, GroupRole
from loom.errors import LoomError
from loom.model import LocationState
from loom.shapes import AssetShape
from loom.store import assets, shown
from loom.store.statements import chunks, upsert
from loom.store.tables import asset_group_members as members_table
from loom.store.tables import asset_groups as groups_table
from loom.store.turns import Turn, wait_for_turn
from loom.store.values import GROUP_KINDS, GROUP_ROLES
from loom.verbs.beside import MOST_GROUPED

_FEWEST = 2


def group(
    connection: Connection, kind: GroupKind, anchor: bytes | None, members: Sequence[tuple[bytes, GroupRole]], now: int
) -> UUID | None:
    """See `loom.verbs.Belonging.group`."""
    if kind not in GROUP_KINDS or any(role not in GROUP_ROLES for _, role in members):
        raise LoomError("REQUEST_INVALID", "There are no groups of this kind, or no members with such a role.")
    if len(members) > MOST_GROUPED or (anchor is not None and anchor not in {asset for asset, _ in members}):
        raise LoomError("REQUEST_INVALID", f"A group has at most {MOST_GROUPED:,} members, its anchor among them.")
    numbers = assets.known(connection, sorted({asset for asset, _ in members}))
    if len(numbers) < _FEWEST or (anchor is not None and anchor not in numbers):
        return None
    wait_for_turn(connection, Turn.ASSET_GROUPS)  # so that two writers do not make one group each
    code = GROUP_KINDS.index(kind)
    at = _anchored(connection, code, numbers[anchor], now) if anchor is not None else None
    target = at if at is not None else _joined(connection, code, sorted(numbers.values()), now)
    roles = {numbers[asset]: GROUP_ROLES.index(role) for asset, role in members if asset in numbers}
    upsert(connection, members_table, [(target, number, role) for number, role in sorted(roles.items())])
    return UUID(bytes=connection.execute(select(groups_table.c.uuid).where(groups_table.c.id == target)).scalar_one())


def of_asset(connection: Connection, uuid: UUID) -> list[AssetGroupShape]:
    """The groups that an asset is in, the oldest first. Raises `NOT_FOUND`."""
    number = assets.by_uuid(connection, uuid)
    mine = select(members_table.c.grouped).where(members_table.c.asset == number)
    at = groups_table.c
    rows = connection.execute(select(at.id, at.uuid, at.kind).where(at.id.in_(mine)).order_by(at.id)).all()
    standing = _standing(connection, [row.id for row in rows])
    return [
        AssetGroupShape(uuid=UUID(bytes=row.uuid), kind=GROUP_KINDS[row.kind], members=standing[row.id])
        for row in rows
        if len(standing[row.id]) >= _FEWEST
    ]


def _standing(connection: Connection, groups: Sequence[int]) -> dict[int, list[GroupMember]]:
    """The members of groups that lie somewhere, those that are primary first, then by name."""
    rows = connection.execute(select(members_table).where(members_table.c.grouped.in_(groups))).all()
    known = shown.several(connection, sorted({row.asset for row in rows}))
    found: dict[int, list[GroupMember]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.role, _path_of(known[row.asset]), row.asset)):
        asset = known[row.asset]
        if any(place.state is not LocationState.MISSING for place in asset.locations):
            found[row.grouped].append(GroupMember(role=GROUP_ROLES[row.role], asset=asset))
    return found


def _path_of(asset: AssetShape) -> str:
    return asset.locations[0].path if asset.locations else ""


def _anchored(connection: Connection, kind: int, anchor: int, now: int) -> int:
    at = groups_table.c
    found = connection.execute(select(at.id).where(at.kind == kind, at.anchor == anchor)).scalar()
    return _make(connection, kind, anchor, now) if found is None else int(found)


def _joined(connection: Connection, kind: int, numbers: Sequence[int], now: int) -> int:
    """The oldest of the groups that hold any of these assets, into which the members of the others go."""
    found = sorted(_holding(connection, kind, numbers))
    if not found:
        return _make(connection, kind, None, now)
    target, *others = found
    at = members_table.c
    for other in others:
        rows = connection.execute(select(at.asset, at.role).where(at.grouped == other)).all()
        upsert(connection, members_table, [(target, row.asset, row.role) for row in rows])
        connection.execute(delete(members_table).where(at.grouped == other))
        connection.execute(delete(groups_table).where(groups_table.c.id == other))
    return target


def _holding(connection: Connection, kind: int, numbers: Sequence[int]) -> Iterable[int]:
    found: set[int] = set()
    at = groups_table.c
    for piece in chunks(numbers):
        statement = (
            select(at.id)
            .join(members_table, members_table.c.grouped == at.id)
            .where(members_table.c.asset.in_(set(piece)), at.kind == kind, at.anchor.is_(None))
        )
        found.update(connection.execute(statement).scalars())
    return found


def _make(connection: Connection, kind: int, anchor: int | None, now: int) -> int:
    made = insert(groups_table).values(uuid=uuid4().bytes, kind=kind, anchor=anchor, created=now)
    return int(connection.execute(made.returning(groups_table.c.id)).scalar_one())
