"""What is said of people and their faces, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from loom.people import FaceAt
from loom.verbs.people import FARTHEST, MOST_FACES, Sorted
from loom.wire.shapes import Hex

Model = Annotated[str, Meta(min_length=1, max_length=64)]


class FacesWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faces of an asset, named by the BLAKE3 of its content: the `vector`s that `vision.face-embedding` gave for
    them, as base64 of float16 or lists of numbers, null for a face without one, and their `model`."""

    asset: Hex
    model: Model
    vectors: Annotated[list[str | list[float] | None], Meta(max_length=MOST_FACES)]
    distance: Annotated[float, Meta(ge=0, le=FARTHEST)]


class SortedWire(msgspec.Struct, frozen=True, kw_only=True):
    """With whom a face is, and whether nobody knew of them before."""

    person: UUID
    new: bool


class SortedFaces(msgspec.Struct, frozen=True):
    """In the order of the faces; null for one that is with nobody."""

    items: list[SortedWire | None]


class NameWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Null takes the name away."""

    name: str | None


class MergeWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is the same person."""

    others: Annotated[list[UUID], Meta(min_length=1, max_length=1000)]


class SplitWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The faces that are of somebody else."""

    faces: Annotated[list[FaceAt], Meta(min_length=1, max_length=10_000)]


def sorted_to_wire(one: Sorted | None) -> SortedWire | None:
    return None if one is None else SortedWire(person=one.person, new=one.is_new)


def sorted_of_wire(wire: SortedWire | None) -> Sorted | None:
    return None if wire is None else Sorted(wire.person, wire.new)


def faces_to_wire(asset: bytes, model: str, vectors: Any, distance: float) -> dict[str, Any]:
    return {"asset": asset.hex(), "model": model, "vectors": list(vectors), "distance": distance}
