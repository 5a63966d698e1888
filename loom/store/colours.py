"""The main colours of pictures, from the results of the operator that finds them, and what is looked for by them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec
from sqlalchemy import Connection, Delete, Select, delete, select
from sqlalchemy.sql import ColumnElement

from loom.model import Colour
from loom.steering import COLOR_DISTANCE, COLOR_SHARE, AssetQuery
from loom.store.statements import Row, any_of, chunks, compiled, insert, write_rows
from loom.store.tables import asset_colours

OPERATOR = "image.dominant-color"
"""The operator whose results tell colours."""
_MOST = 16
_NAMES = frozenset(map(str, Colour))

_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)


class _Colour(msgspec.Struct, frozen=True):
    name: Colour
    lab: tuple[float, float, float]
    share: float


class _Said(msgspec.Struct, frozen=True):
    colors: list[_Colour] = []


_decode = msgspec.json.Decoder(_Said).decode


def rows_of(asset: int, outputs: bytes) -> Iterator[Row]:
    """Rows of `asset_colours`; none for outputs of another form."""
    try:
        told = _decode(outputs).colors
    except msgspec.DecodeError:
        return
    shares: dict[str, float] = {}
    for colour in told[:_MOST]:
        shares[colour.name] = shares.get(colour.name, 0.0) + colour.share
    for position, colour in enumerate(told[:_MOST]):
        of_name = shares.pop(colour.name, None)
        yield (asset, position, str(colour.name), *colour.lab, colour.share, of_name)


def add(connection: Connection, found: Iterable[tuple[int, bytes]], fresh: Collection[int] = ()) -> None:
    """Keeps the colours of assets, from their newest result; those that are `fresh` have none yet."""
    newest = dict(found)
    for piece in chunks(sorted(newest.keys() - set(fresh))):
        write_rows(connection, compiled(connection, _forget, len(piece)), [tuple(piece)])
    insert(connection, asset_colours, [row for asset in sorted(newest) for row in rows_of(asset, newest[asset])])


def showing(query: AssetQuery) -> Select[tuple[int]]:
    """The assets of which enough is of the colour that is asked for, by its name or its value in sRGB."""
    at, color = asset_colours.c, query.color or ""
    found = select(at.asset)
    if color in _NAMES:
        return found.where(at.name == color, is_named_enough(query))
    return found.where(_is_near(color, query.color_distance or COLOR_DISTANCE), at.share >= _share(query))


def is_named_enough(query: AssetQuery) -> ColumnElement[bool]:
    """On rows of `asset_colours`: whether colours of its name take up so much of the picture that they count; true of
    one row for each name of a picture at most."""
    return asset_colours.c.of_name >= _share(query)


def _share(query: AssetQuery) -> float:
    return COLOR_SHARE if query.color_share is None else query.color_share


def _is_near(color: str, distance: float) -> ColumnElement[bool]:
    """A colour in sRGB; the box lets the index find what may be near enough."""
    at = asset_colours.c
    light, a, b = lab_of(color)
    apart = (at.lightness - light) * (at.lightness - light) + (at.a - a) * (at.a - a) + (at.b - b) * (at.b - b)
    inside = at.a.between(a - distance, a + distance) & at.b.between(b - distance, b + distance)
    return inside & (apart <= distance * distance)


def lab_of(color: str) -> tuple[float, float, float]:
    """L*, a* and b* (CIE 15, white D65) of a colour in sRGB such as `#c04020`."""
    linear = [_linear(value / 255) for value in bytes.fromhex(color.removeprefix("#"))]
    x, y, z = (
        _curved(sum(part * value for part, value in zip(row, linear, strict=True)) / sum(row)) for row in _TO_XYZ
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _linear(coded: float) -> float:
    return coded / 12.92 if coded <= 0.04045 else float(((coded + 0.055) / 1.055) ** 2.4)


def _curved(part: float) -> float:
    return float(part ** (1 / 3)) if part > (6 / 29) ** 3 else part / (3 * (6 / 29) ** 2) + 4 / 29


def _forget(count: int) -> Delete:
    return delete(asset_colours).where(any_of(asset_colours.c.asset, count))
