"""What assets are looked for by: camera and year, from the results of the operator that reads metadata."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from loom.store.statements import upsert
from loom.store.tables import asset_traits
from loom.store.values import clean

METADATA = "media.metadata"
"""The operator."""

_MOST = 200
"""Characters of a camera's name."""


class Traits(NamedTuple):
    camera: str | None = None
    year: int | None = None


class _Outputs(msgspec.Struct, frozen=True):
    camera_make: Any = None
    camera_model: Any = None
    captured_at: Any = None


_decode = msgspec.json.Decoder(_Outputs).decode


def traits_of(outputs: bytes | str) -> Traits:
    """Of a result's outputs in JSON. A camera is called by its model, with its make before it unless it begins so."""
    said = _decode(outputs)
    make, model = (part.strip() if isinstance(part, str) else "" for part in (said.camera_make, said.camera_model))
    camera = model if model.casefold().startswith(make.casefold()) else f"{make} {model}"
    taken = said.captured_at if isinstance(said.captured_at, str) else ""
    year = int(taken[:4]) if taken[:4].isascii() and taken[:4].isdecimal() else None
    return Traits(clean(camera.strip()[:_MOST]) or None, year)


def add(connection: Connection, found: Iterable[tuple[int, bytes]]) -> None:
    """Keeps the traits of assets, from the outputs of their newest metadata."""
    rows = {asset: (asset, *traits_of(outputs)) for asset, outputs in found}
    upsert(connection, asset_traits, sorted(rows.values()))
