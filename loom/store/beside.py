"""What an asset may belong to: what lies beside it under the same name, was taken just before or after it, or has the
same identifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, or_, select
from sqlalchemy.sql import ColumnElement

from loom.model import Kind
from loom.store import assets
from loom.store.tables import asset_traits, locations
from loom.store.tables import assets as asset_table
from loom.store.values import PRESENT
from loom.verbs.beside import BURST_US, MOST_NEIGHBOURS, SUPPLEMENT, Neighbour, Shot

_MOST_PLACES = 50
_SHOT = tuple(getattr(asset_traits.c, name) for name in Shot._fields)


class _Place(NamedTuple):
    directory: int
    name: bytes


def around(connection: Connection, asset: bytes) -> list[Neighbour]:
    """See `loom.verbs.Belonging.beside`."""
    number = assets.known(connection, [asset]).get(asset)
    if number is None:
        return []
    at = locations.c
    mine = (at.asset == number, at.state == PRESENT)
    rows = connection.execute(select(at.directory, at.name).where(*mine).limit(_MOST_PLACES))
    places = [_Place(row.directory, bytes(row.name)) for row in rows]
    own = connection.execute(select(*_SHOT).where(asset_traits.c.asset == number)).first()
    found: dict[tuple[bytes, bytes, bytes], Neighbour] = {}
    for one in _all(connection, number, places, Shot() if own is None else Shot(*own)):
        found.setdefault((one.asset, one.own_name, one.name), one)
        if len(found) == MOST_NEIGHBOURS:
            break
    return list(found.values())


def base_of(name: bytes) -> bytes:
    """The name of a file without its ending."""
    stem, dot, _ = name.rpartition(b".")
    return (stem if dot and stem else name).removesuffix(SUPPLEMENT)


def _all(connection: Connection, number: int, places: Sequence[_Place], own: Shot) -> Iterator[Neighbour]:
    at = locations.c
    for place in places:
        base = base_of(place.name)
        # "/" comes right after "." and is in no name.
        named = or_(at.name == base, (at.name > base + b".") & (at.name < base + b"/"))
        yield from _lying(connection, number, place, named)
    if own.camera is not None and own.moment is not None:
        soon = asset_traits.c.moment.between(own.moment - 2 * BURST_US, own.moment + 2 * BURST_US)
        for place in places:
            yield from _lying(connection, number, place, soon, asset_traits.c.camera == own.camera)
    for column, value in ((asset_traits.c.content_id, own.content_id), (asset_traits.c.burst_id, own.burst_id)):
        if value is not None:
            yield from _identified(connection, number, column == value)


def _lying(connection: Connection, number: int, place: _Place, *wanted: ColumnElement[bool]) -> Iterator[Neighbour]:
    at = locations.c
    here = (at.directory == place.directory, at.state == PRESENT, at.asset != number)
    statement = _neighbours(at.name).join(locations, at.asset == asset_table.c.id).where(*here, *wanted)
    return _read(place.name, connection.execute(statement.order_by(at.name).limit(MOST_NEIGHBOURS)))


def _identified(connection: Connection, number: int, wanted: ColumnElement[bool]) -> Iterator[Neighbour]:
    at = locations.c
    lies = select(at.asset).where(at.asset == asset_table.c.id, at.state == PRESENT).exists()
    statement = _neighbours().where(asset_table.c.id != number, wanted, lies)
    rows = connection.execute(statement.order_by(asset_table.c.id).limit(MOST_NEIGHBOURS))
    return _read(b"", rows)


def _neighbours(*more: Any) -> Select[Any]:
    at = asset_table.c
    joined = asset_table.outerjoin(asset_traits, asset_traits.c.asset == at.id)
    return select(at.blake3, at.kind, at.mime, *_SHOT, *more).select_from(joined)


def _read(own_name: bytes, rows: Iterable[Any]) -> Iterator[Neighbour]:
    for row in rows:
        name = bytes(row.name) if own_name else b""
        shot = Shot(*row[3 : 3 + len(_SHOT)])
        yield Neighbour(bytes(row.blake3), Kind(row.kind), row.mime, own_name, name, shot)
