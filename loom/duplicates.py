"""Groups of duplicates as they look from outside."""

from __future__ import annotations

import base64
from typing import Literal
from uuid import UUID

import msgspec

from loom.model import Kind
from loom.shapes import LocationShape

DuplicateKind = Literal["exact", "similar"]
DuplicateState = Literal["PENDING", "CONFIRMED", "REJECTED"]


class DuplicateMember(msgspec.Struct, frozen=True, kw_only=True):
    """An asset of a group of similar ones, or one copy (`locations` has just its file) in a group of exact ones.

    `id` is how it is named when a group is confirmed: the asset's UUID, or a digest of the copy's host and path.
    `kept`: it is the one that is kept, or that would be. `left`: people said that it is no duplicate of the others.
    `distance` is by how many bits it differs from the member that is nearest. Pixels, time of capture and whether it is
    `complete` are there where results tell it.
    """

    id: str
    asset: UUID
    blake3: str
    media: Kind
    mime: str
    size: int
    kept: bool
    left: bool = False
    distance: int | None = None
    width: int | None = None
    height: int | None = None
    captured_at: str | None = None
    complete: bool | None = None
    locations: list[LocationShape] = []


class DuplicateShape(msgspec.Struct, frozen=True, kw_only=True):
    """`keeper` is the `id` of the member that is kept, or (as long as the group is pending) that would be, and `reason`
    says why; null where nothing is left to choose from. Copies that were put aside are no members."""

    uuid: UUID
    kind: DuplicateKind
    state: DuplicateState
    created: str
    decided: str | None
    keeper: str | None
    reason: str | None
    members: list[DuplicateMember]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What people say of a group: which members are duplicates of each other (None: all), and which of them is kept
    (None: the one that is suggested). `seen`: all its members, as people saw them; None: whichever there are."""

    keeper: str | None = None
    members: tuple[str, ...] | None = None
    seen: tuple[str, ...] | None = None


def path_of(place: LocationShape) -> bytes:
    """Its path, with the exact bytes."""
    return place.path.encode("utf-8") if place.path_b64 is None else base64.b64decode(place.path_b64)
