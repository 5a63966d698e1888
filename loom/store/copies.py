"""Where copies of assets lie that count: present files, but for those that were put aside as duplicates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from loom.store.statements import chunks
from loom.store.tables import actions, directories, locations
from loom.store.values import BEGUN, DONE, MOVED, PRESENT, clean, join_path, key_of


class Place(NamedTuple):
    """A present file; `key` is `place_key(host, path)`."""

    key: bytes
    host: str
    path: bytes
    mtime_ns: int


def place_key(host: str, path: bytes) -> bytes:
    return key_of(clean(host).encode("utf-8"), path)


def copies_of(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Place]]:
    """The files of each asset, by host and path; none for an asset that lies nowhere."""
    found: dict[int, list[Place]] = defaultdict(list)
    for piece in chunks(numbers):
        statement = (
            select(locations.c.asset, locations.c.name, locations.c.mtime_ns, directories.c.host, directories.c.path)
            .join(directories, directories.c.id == locations.c.directory)
            .where(locations.c.asset.in_(set(piece)), locations.c.state == PRESENT)
            .order_by(directories.c.host, directories.c.path, locations.c.name)
        )
        for row in connection.execute(statement):
            path = join_path(row.path, row.name)
            found[row.asset].append(Place(place_key(row.host, path), row.host, path, row.mtime_ns))
    aside = put_aside(connection, {place.key for places in found.values() for place in places})
    return {asset: [place for place in places if place.key not in aside] for asset, places in found.items()}


def put_aside(connection: Connection, keys: Collection[bytes]) -> set[bytes]:
    """Which of these places hold what was moved away as a duplicate, or is on its way there."""
    found: set[bytes] = set()
    for piece in chunks(sorted(keys)):
        statement = select(actions.c.place).where(
            actions.c.place.in_(set(piece)),
            actions.c.kind == MOVED,
            actions.c.duplicate.is_not(None),
            actions.c.state.in_((BEGUN, DONE)),
        )
        found.update(connection.execute(statement).scalars())
    return found
