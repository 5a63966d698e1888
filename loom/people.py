"""People whose faces are in pictures, and what is alike, as they look from outside."""

from __future__ import annotations

from uuid import UUID

import msgspec

from loom.shapes import AssetShape


class FaceShape(msgspec.Struct, frozen=True, kw_only=True):
    """A face in an asset; `number` counts the faces that were found there, from 1."""

    asset: AssetShape
    number: int
    person: UUID
    name: str | None


class PersonShape(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody of whom there are `faces` in so many `assets`, those left out that lie nowhere any more. `name` is what
    people call them, null until somebody says it."""

    uuid: UUID
    name: str | None
    faces: int
    assets: int
    created: str


class FaceAt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which face is meant: the `number` of the asset's faces, from 1."""

    asset: UUID
    number: int


class AlikeShape(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that is alike, and how far its vector is: 0 for the same direction, 1 for nothing in common, 2 for the
    opposite."""

    asset: AssetShape
    distance: float
