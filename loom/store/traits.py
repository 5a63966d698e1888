"""What assets are looked for by: camera, time and place of capture, from the results of the operator that reads
metadata."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from loom.store.outputs import Outputs
from loom.store.statements import upsert
from loom.store.tables import asset_traits
from loom.store.values import clean

_MOST = 200
"""Characters of a camera's name."""
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)


class Traits(NamedTuple):
    """`day` is the day of capture where it was taken, as 20240517; degrees, north and east positive."""

    camera: str | None = None
    year: int | None = None
    day: int | None = None
    latitude: float | None = None
    longitude: float | None = None


NONE = Traits()


def traits_of(said: Outputs) -> Traits:
    """A camera is called by its model, with its make before it unless it begins so."""
    make, model = (part.strip() if isinstance(part, str) else "" for part in (said.camera_make, said.camera_model))
    camera = model if model.casefold().startswith(make.casefold()) else f"{make} {model}"
    taken = said.captured_at if isinstance(said.captured_at, str) else ""
    year = int(taken[:4]) if taken[:4].isascii() and taken[:4].isdecimal() else None
    return Traits(clean(camera.strip()[:_MOST]) or None, year, _day(taken), *_place(said.latitude, said.longitude))


def day_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def add(connection: Connection, found: Iterable[tuple[int, Outputs]], fresh: Collection[int] = ()) -> None:
    """Keeps the traits of assets, from their newest metadata; those that are `fresh` have none yet."""
    rows = {asset: (asset, *traits_of(said)) for asset, said in found}
    upsert(connection, asset_traits, sorted(row for row in rows.values() if row[1:] != NONE or row[0] not in fresh))


def _day(taken: str) -> int | None:
    match = _DAY.match(taken)
    try:
        return day_number(date(*map(int, match.groups()))) if match else None
    except ValueError:
        return None


def _place(latitude: Any, longitude: Any) -> tuple[float | None, float | None]:
    if not all(isinstance(one, int | float) for one in (latitude, longitude)):
        return None, None
    return (float(latitude), float(longitude)) if abs(latitude) <= 90 and abs(longitude) <= 180 else (None, None)
