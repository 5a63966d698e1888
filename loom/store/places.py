"""Where assets were taken: in a box, or around a point."""

from __future__ import annotations

from math import cos, degrees, pi, radians, sin
from typing import NamedTuple

from sqlalchemy import and_, or_
from sqlalchemy.sql import ColumnElement

from loom.errors import LoomError
from loom.store.tables import asset_traits

_EARTH_KM = 6371.0088
"""Mean radius."""

_LATITUDE, _LONGITUDE = asset_traits.c.latitude, asset_traits.c.longitude


class Box(NamedTuple):
    """Degrees; `west` is beyond `east` where the box crosses the 180th meridian."""

    south: float
    west: float
    north: float
    east: float


def in_box(text: str) -> ColumnElement[bool]:
    """From `south,west,north,east`. Raises `REQUEST_INVALID`."""
    box = Box(*_numbers(text, 4))
    _check(box.south, box.west)
    _check(box.north, box.east)
    if box.south > box.north:
        raise LoomError("REQUEST_INVALID", "The south of a box lies north of its north.")
    return _inside(box)


def around(text: str, radius_km: float) -> ColumnElement[bool]:
    """From `latitude,longitude`. The distance is that on a plane laid at the middle of both points: good to a hundredth
    within 1,000 km, but for the neighbourhood of the poles. Raises `REQUEST_INVALID`."""
    latitude, longitude = _numbers(text, 2)
    _check(latitude, longitude)
    box = _box_around(latitude, longitude, degrees(radius_km / _EARTH_KM))
    turns = (0, 360, -360) if box.west > box.east or box.east - box.west >= 360 else (0,)
    near = [_distance2(latitude, longitude + turn) <= (radius_km / _EARTH_KM) ** 2 for turn in turns]
    return and_(_inside(box), or_(*near))


def _distance2(latitude: float, longitude: float) -> ColumnElement[float]:
    """The square of the distance in radians. The cosine in the middle is that at the point and its slope there: SQLite
    may have no trigonometry."""
    north = (_LATITUDE - latitude) * (pi / 180)
    slope = sin(radians(latitude)) / 2
    east = (_LONGITUDE - longitude) * (pi / 180) * (cos(radians(latitude)) - north * slope)
    return north * north + east * east


def _box_around(latitude: float, longitude: float, reach: float) -> Box:
    """`reach` in degrees of a meridian."""
    south, north = max(latitude - reach, -90.0), min(latitude + reach, 90.0)
    widest = max(abs(south), abs(north))
    if widest >= 89.9:
        return Box(south, -180.0, north, 180.0)
    wide = reach / cos(radians(widest))
    if wide >= 180:
        return Box(south, -180.0, north, 180.0)
    west, east = longitude - wide, longitude + wide
    return Box(south, west + 360 if west < -180 else west, north, east - 360 if east > 180 else east)


def _inside(box: Box) -> ColumnElement[bool]:
    across: ColumnElement[bool]
    if box.west <= box.east:
        across = _LONGITUDE.between(box.west, box.east)
    else:
        across = or_(_LONGITUDE.between(box.west, 180), _LONGITUDE.between(-180, box.east))
    return and_(_LATITUDE.between(box.south, box.north), across)


def _numbers(text: str, count: int) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    if len(found) != count:
        raise LoomError("REQUEST_INVALID", f"{text[:80]!r} is not {count} numbers with commas between them.")
    return found


def _check(latitude: float, longitude: float) -> None:
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise LoomError("REQUEST_INVALID", f"There is no place {latitude:g}, {longitude:g} on the globe.")
