"""What assets are looked for by: camera, time and place of capture, from the results of the operator that reads
metadata."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection

from loom.store.outputs import Outputs
from loom.store.statements import upsert
from loom.store.tables import asset_traits
from loom.store.values import clean
from loom.verbs.beside import shot_of

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)


class Traits(NamedTuple):
    """`day` is the day of capture where it was taken, as 20240517; degrees, north and east positive. The rest is said
    of `loom.verbs.beside.Shot`."""

    camera: str | None = None
    year: int | None = None
    day: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    moment: int | None = None
    zone: int | None = None
    duration_ms: int | None = None
    content_id: str | None = None
    burst_id: str | None = None
    side_file_for: str | None = None


NONE = Traits()


def traits_of(said: Outputs) -> Traits:
    shot = shot_of(partial(getattr, said))
    taken = said.captured_at if isinstance(said.captured_at, str) else ""
    year = int(taken[:4]) if taken[:4].isascii() and taken[:4].isdecimal() else None
    return Traits(
        camera=_clean(shot.camera),
        year=year,
        day=_day(taken),
        **_place(said.latitude, said.longitude),
        moment=shot.moment,
        zone=shot.zone,
        duration_ms=shot.duration_ms,
        content_id=_clean(shot.content_id),
        burst_id=_clean(shot.burst_id),
        side_file_for=_clean(shot.side_file_for),
    )


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


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)


def _place(latitude: Any, longitude: Any) -> dict[str, float]:
    if not all(isinstance(one, int | float) for one in (latitude, longitude)):
        return {}
    if abs(latitude) > 90 or abs(longitude) > 180:
        return {}
    return {"latitude": float(latitude), "longitude": float(longitude)}
