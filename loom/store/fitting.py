"""Which assets are meant: by kind, place, name, collection, what results say, colour, camera, time and place of
capture."""

from __future__ import annotations

import os
import re
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, false, func, or_, select, union
from sqlalchemy.sql import ColumnElement

from loom.steering import RADIUS_KM, AssetQuery
from loom.store import colours, persons, places
from loom.store.locations import in_collection
from loom.store.tables import asset_hashes, asset_traits, assets, directories, locations
from loom.store.texts import saying
from loom.store.traits import day_number
from loom.store.values import PRESENT, clean, folded_query

_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f]{128}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def conditions(query: AssetQuery) -> list[ColumnElement[bool]]:
    """On rows of `assets`. Raises `REQUEST_INVALID` for a place off the globe."""
    found: list[ColumnElement[bool]] = []
    if query.kind is not None:
        found.append(assets.c.kind == str(query.kind))
    if query.path:
        found.append(assets.c.id.in_(_found_at(query.path, None)))
    if query.q:
        found.append(assets.c.id.in_(_meant(query.q, query.path)))
    if query.text:
        saying_it = saying(query.text)
        found.append(false() if saying_it is None else assets.c.id.in_(saying_it))
    if query.collection is not None:
        found.append(assets.c.id.in_(in_collection(query.collection)))
    if query.person is not None:
        found.append(assets.c.id.in_(persons.showing(query.person)))
    if query.color is not None:
        found.append(assets.c.id.in_(colours.showing(query)))
    if query.place == "unknown":
        placed = select(asset_traits.c.asset).where(asset_traits.c.latitude.is_not(None))
        found.append(assets.c.id.not_in(placed))
    if traits := _traits(query):
        found.append(assets.c.id.in_(select(asset_traits.c.asset).where(*traits)))
    return found


def is_present() -> ColumnElement[bool]:
    """Whether some file with the bytes of the asset is present."""
    return exists().where(locations.c.asset == assets.c.id, locations.c.state == PRESENT)


def _traits(query: AssetQuery) -> list[ColumnElement[bool]]:
    """On rows of `asset_traits`."""
    at = asset_traits.c
    found: list[ColumnElement[bool]] = []
    if query.camera is not None:
        found.append(at.camera == clean(query.camera))
    if query.year is not None:
        found.append(at.year == query.year)
    if query.captured_from is not None:
        found.append(at.day >= day_number(query.captured_from))
    if query.captured_to is not None:
        found.append(at.day <= day_number(query.captured_to))
    if query.place == "known":
        found.append(at.latitude.is_not(None))
    if query.near is not None:
        found.append(places.around(query.near, query.radius_km or RADIUS_KM))
    if query.box is not None:
        found.append(places.in_box(query.box))
    return found


def _meant(q: str, path: str | None) -> Any:
    """The assets with such a name at such a path, of such a hash, or of which such words are said."""
    ways = [_found_at(path, q), *_identified(q.strip())]
    if (said := saying(q)) is not None:
        ways.append(said)
    return union(*ways) if len(ways) > 1 else ways[0]


def _identified(text: str) -> list[Select[Any]]:
    if _UUID.fullmatch(text):
        raw = UUID(text).bytes
        # all bytes but the two that hold a UUID's version and variant stand in the hash
        is_it = and_(
            assets.c.blake3.between(raw[:6], raw[:6] + b"\xff" * 26),
            func.substr(assets.c.blake3, 8, 1) == raw[7:8],
            func.substr(assets.c.blake3, 10, 7) == raw[9:],
        )
        return [select(assets.c.id).where(is_it)]
    if not _HASH.fullmatch(text):
        return []
    digest = bytes.fromhex(text)
    own = select(assets.c.id).where(assets.c.blake3 == digest)
    return [own, select(asset_hashes.c.asset).where(asset_hashes.c.digest == digest)]


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
