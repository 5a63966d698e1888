"""Assets as they are shown: with their locations, SHA-256 and collections; one by one, or listed and searched."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from loom.model import Kind, asset_uuid
from loom.shapes import AssetShape, LocationShape, Page
from loom.store.locations import in_collection
from loom.store.tables import asset_hashes, assets, collection_assets, collections, directories, locations
from loom.store.values import (
    LOCATION_STATES,
    cursor_of,
    folded_query,
    iso,
    join_path,
    key_of_cursor,
    page_size,
    shown_path,
)


def one(connection: Connection, number: int) -> AssetShape:
    return _shapes(connection, connection.execute(select(assets).where(assets.c.id == number)).all())[0]


def page(
    connection: Connection,
    *,
    kind: Kind | None,
    path: str | None,
    q: str | None,
    collection: str | None,
    limit: int,
    cursor: str | None,
) -> Page[AssetShape]:
    """Assets in the order in which they came to be known. `q` is part of a file's name, without regard to case;
    `path` what a file's path begins with."""
    statement = select(assets).order_by(assets.c.id).limit(page_size(limit) + 1)
    if (after := key_of_cursor(cursor, int)) is not None:
        statement = statement.where(assets.c.id > after[0])
    if kind is not None:
        statement = statement.where(assets.c.kind == str(kind))
    if path or q:
        statement = statement.where(assets.c.id.in_(_found_at(path, q)))
    if collection is not None:
        statement = statement.where(assets.c.id.in_(in_collection(collection)))
    rows = connection.execute(statement).all()
    shown = rows[: page_size(limit)]
    following = cursor_of(shown[-1].id) if len(rows) > len(shown) else None
    return Page(items=_shapes(connection, shown), next=following)


def _found_at(path: str | None, q: str | None) -> Select[tuple[int]]:
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


def _shapes(connection: Connection, rows: Sequence[Any]) -> list[AssetShape]:
    numbers = [row.id for row in rows]
    lying = _locations(connection, numbers)
    sha256 = dict(
        connection.execute(
            select(asset_hashes.c.asset, asset_hashes.c.digest).where(
                asset_hashes.c.asset.in_(numbers), asset_hashes.c.algorithm == "sha256"
            )
        ).all()
    )
    named = _collections(connection, numbers)
    return [
        AssetShape(
            uuid=asset_uuid(row.blake3),
            blake3=row.blake3.hex(),
            sha256=sha256[row.id].hex() if row.id in sha256 else None,
            kind=Kind(row.kind),
            mime=row.mime,
            size=row.size,
            locations=lying.get(row.id, []),
            first_seen=iso(row.first_seen),
            collections=named.get(row.id, []),
        )
        for row in rows
    ]


def _locations(connection: Connection, numbers: Sequence[int]) -> dict[int, list[LocationShape]]:
    statement = (
        select(locations, directories.c.host, directories.c.path)
        .join(directories, directories.c.id == locations.c.directory)
        .where(locations.c.asset.in_(numbers))
        .order_by(locations.c.asset, directories.c.host, directories.c.path, locations.c.name)
    )
    found: dict[int, list[LocationShape]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.asset, []).append(_location(row))
    return found


def _location(row: Any) -> LocationShape:
    path = join_path(row.path, row.name)
    shown = shown_path(path)
    return LocationShape(
        host=row.host,
        path=shown,
        size=row.size,
        mtime=iso(row.mtime_ns // 1000),
        state=LOCATION_STATES[row.state],
        path_b64=None if shown.encode("utf-8") == path else base64.b64encode(path).decode("ascii"),
    )


def _collections(connection: Connection, numbers: Sequence[int]) -> dict[int, list[str]]:
    statement = (
        select(collection_assets.c.asset, collections.c.name)
        .join(collections, collections.c.id == collection_assets.c.collection)
        .where(collection_assets.c.asset.in_(numbers))
        .order_by(collection_assets.c.asset, collections.c.name)
    )
    found: dict[int, list[str]] = {}
    for asset, name in connection.execute(statement):
        found.setdefault(asset, []).append(name)
    return found
