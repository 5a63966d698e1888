"""Assets as they are shown: with their locations, SHA-256 and collections; one by one, or listed and searched."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from loom.model import Kind, LocationState, asset_uuid
from loom.shapes import AssetResultsShape, AssetShape, ChangeShape, LocationShape, Page, ResultShape
from loom.steering import AssetQuery
from loom.store import history, results
from loom.store.fitting import conditions
from loom.store.statements import chunks
from loom.store.tables import asset_hashes, assets, collection_assets, collections, directories, locations
from loom.store.values import (
    LOCATION_STATES,
    b64_unless_shown,
    cut_page,
    iso,
    join_path,
    key_of_cursor,
    page_size,
    shown_path,
)


def one(connection: Connection, number: int) -> AssetShape:
    return _shapes(connection, connection.execute(select(assets).where(assets.c.id == number)).all())[0]


def several(connection: Connection, numbers: Sequence[int]) -> dict[int, AssetShape]:
    """Assets by their number."""
    found: dict[int, AssetShape] = {}
    for piece in chunks(numbers):
        rows = connection.execute(select(assets).where(assets.c.id.in_(set(piece)))).all()
        found.update(zip((row.id for row in rows), _shapes(connection, rows), strict=True))
    return found


def page(connection: Connection, query: AssetQuery, limit: int, cursor: str | None) -> Page[AssetShape]:
    """Assets in the order in which they came to be known."""
    rows, following = _listed(connection, query, limit, cursor)
    return Page(items=_shapes(connection, rows), next=following)


def page_with_results(
    connection: Connection, query: AssetQuery, limit: int, cursor: str | None
) -> Page[AssetResultsShape]:
    """The same, each asset with all its results."""
    rows, following = _listed(connection, query, limit, cursor)
    made: dict[int, list[ResultShape]] = {row.id: [] for row in rows}
    for number, result in results.of_assets(connection, list(made)):
        made[number].append(result)
    shapes = _shapes(connection, rows)
    items = [AssetResultsShape(asset=one, results=made[row.id]) for row, one in zip(rows, shapes, strict=True)]
    return Page(items=items, next=following)


def _listed(
    connection: Connection, query: AssetQuery, limit: int, cursor: str | None
) -> tuple[Sequence[Any], str | None]:
    """Rows of `assets`, and the cursor of the next page."""
    statement = select(assets).where(*conditions(query)).order_by(assets.c.id).limit(page_size(limit) + 1)
    if (after := key_of_cursor(cursor, int)) is not None:
        statement = statement.where(assets.c.id > after[0])
    return cut_page(connection.execute(statement).all(), limit, lambda row: (row.id,))


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


def locations_of(connection: Connection, asset: int) -> list[LocationShape]:
    """Where an asset lies and lay, with its history at each place."""
    changes = history.of_asset(connection, asset)
    found = []
    for row in connection.execute(_lying([asset])):
        told = [change for change, _ in changes.pop((row.directory, row.name), ())]
        location = _location(row)
        if all(change.change != "found" for change in told):
            told.insert(0, ChangeShape(change="found", time=iso(row.first_seen), path=location.path))
        found.append(msgspec.structs.replace(location, history=told))
    return found + _left(connection, asset, changes)


def _left(
    connection: Connection, asset: int, changes: dict[history.At, list[tuple[ChangeShape, int]]]
) -> list[LocationShape]:
    """Places at which something else lies now."""
    size = connection.execute(select(assets.c.size).where(assets.c.id == asset)).scalar_one()
    found = []
    for (directory, name), told in sorted(changes.items(), key=itemgetter(0)):
        row = connection.execute(select(directories).where(directories.c.id == directory)).one()
        path = join_path(row.path, name)
        shown = shown_path(path)
        found.append(
            LocationShape(
                host=row.host,
                path=shown,
                size=size,
                mtime=iso(told[-1][1] // 1000),
                state=LocationState.MISSING,
                path_b64=b64_unless_shown(path, shown),
                history=[change for change, _ in told],
            )
        )
    return found


def _lying(numbers: Sequence[int]) -> Select[Any]:
    return (
        select(locations, directories.c.host, directories.c.path)
        .join(directories, directories.c.id == locations.c.directory)
        .where(locations.c.asset.in_(numbers))
        .order_by(locations.c.asset, directories.c.host, directories.c.path, locations.c.name)
    )


def _locations(connection: Connection, numbers: Sequence[int]) -> dict[int, list[LocationShape]]:
    found: dict[int, list[LocationShape]] = {}
    for row in connection.execute(_lying(numbers)):
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
        path_b64=b64_unless_shown(path, shown),
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
