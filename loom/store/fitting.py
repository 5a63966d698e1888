"""Which assets are meant: by kind, place, name, collection, camera and year."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.sql import ColumnElement

from loom.steering import AssetQuery
from loom.store.locations import in_collection
from loom.store.tables import asset_traits, assets, directories, locations
from loom.store.values import PRESENT, clean, folded_query


def conditions(query: AssetQuery) -> list[ColumnElement[bool]]:
    """On rows of `assets`. `q` is part of a file's name, without regard to case; `path` what a file's path begins
    with."""
    found: list[ColumnElement[bool]] = []
    if query.kind is not None:
        found.append(assets.c.kind == str(query.kind))
    if query.path or query.q:
        found.append(assets.c.id.in_(_found_at(query.path, query.q)))
    if query.collection is not None:
        found.append(assets.c.id.in_(in_collection(query.collection)))
    if query.camera is not None:
        found.append(assets.c.id.in_(select(asset_traits.c.asset).where(asset_traits.c.camera == clean(query.camera))))
    if query.year is not None:
        found.append(assets.c.id.in_(select(asset_traits.c.asset).where(asset_traits.c.year == query.year)))
    return found


def is_present() -> ColumnElement[bool]:
    """Whether some file with the bytes of the asset is present."""
    return exists().where(locations.c.asset == assets.c.id, locations.c.state == PRESENT)


def _found_at(path: str | None, q: str | None) -> Select[Any]:
    statement = select(locations.c.asset)
    if q:
        statement = statement.where(locations.c.folded.contains(folded_query(q), autoescape=True))
    if path:
        start = os.fsencode(path)
        head, _, tail = start.rpartition(b"/")
        begins_below = func.substr(directories.c.path, 1, len(start)) == start
        lies_there = and_(directories.c.path == (head or b"/"), func.substr(locations.c.name, 1, len(tail)) == tail)
        statement = statement.join(directories, directories.c.id == locations.c.directory).where(
            or_(begins_below, lies_there)
        )
    return statement
