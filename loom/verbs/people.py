"""What one can ask and say of people whose faces are in pictures, and of vectors that are near."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol
from uuid import UUID

from loom.people import AlikeShape, FaceAt, FaceShape, PersonShape
from loom.shapes import Page
from loom.verbs.listing import PAGE

FACES = "vision.face-embedding"
"""The operator that gives one vector for each face."""
AlikeBy = Literal["vision.embedding", "text.embedding"]
WHOLE: tuple[AlikeBy, ...] = ("vision.embedding", "text.embedding")
"""The operators that give one vector for an asset."""
VECTORS = (FACES, *WHOLE)
"""Operators whose `vector` is kept for comparison with those of the same `model`."""

MOST_NUMBERS = 8192
"""Of one vector."""
MOST_FACES = 1000
"""In one asset."""
MOST_NEAR = 500
"""No more assets that are alike are told at once."""
FARTHEST = 2.0
"""The distance of opposite vectors: 1 less the cosine of the angle between them."""


class Sorted(NamedTuple):
    """With whom a face is, and whether nobody knew of them before."""

    person: UUID
    is_new: bool


class Sorting(Protocol):
    """Faces are sorted by an operator."""

    def sort_faces(self, asset: bytes, model: str, vectors: Sequence[Any], distance: float) -> list[Sorted | None]:
        """Puts the faces of an asset (named by its BLAKE3) with the people they are of, and says for each who that is;
        None for a face without a vector, or whose vector is not stored.

        `vectors` are those of the asset's faces as the operator `FACES` gave them, in their order; other faces that
        were sorted before for this asset and `model` belong to nobody any more. A face that is with somebody stays
        there. A face that is near one of those others takes its place; any other goes to the person whose faces are
        nearest, the mean over the 5 nearest, if that is at most `distance`, else to somebody new. Two people with whom
        it would fit become one if their faces that are nearest to it are at most `distance` from each other in the
        mean; but not if they have different names, or were split by people.

        Raises `REQUEST_INVALID` for a distance that is not of 0 to `FARTHEST`, and for more than `MOST_FACES`."""
        ...


class People(Protocol):
    """People are found by `Sorting`, and named, joined and split by who knows them. There is somebody as long as there
    is a face of them. What does not exist raises `NOT_FOUND`."""

    def people(self, *, name: str | None = None, limit: int = PAGE, cursor: str | None = None) -> Page[PersonShape]:
        """Those with the most faces first; with `name`, those who are called so, whatever the case."""
        ...

    def person(self, uuid: UUID) -> PersonShape: ...

    def person_faces(self, uuid: UUID, *, limit: int = PAGE, cursor: str | None = None) -> Page[FaceShape]:
        """In the order in which they came to be known, those left out whose asset lies nowhere any more."""
        ...

    def name_person(self, uuid: UUID, name: str | None) -> PersonShape:
        """Several may be called the same; None takes the name away. Raises `REQUEST_INVALID` for a name that is empty
        or has more than 200 characters."""
        ...

    def merge_people(self, uuid: UUID, others: Sequence[UUID]) -> PersonShape:
        """They are all the first, whose name holds, or else that of the first of the others who has one."""
        ...

    def split_person(self, uuid: UUID, faces: Sequence[FaceAt]) -> PersonShape:
        """These faces are of somebody else, who is returned; the two do not become one again by themselves. Raises
        `REQUEST_INVALID` for a face that is not theirs, and where none would be left."""
        ...

    def asset_people(self, uuid: UUID) -> list[FaceShape]:
        """The faces in an asset that are sorted, in their order."""
        ...

    def asset_alike(
        self, uuid: UUID, *, of: AlikeBy | None = None, distance: float = FARTHEST, limit: int = PAGE
    ) -> list[AlikeShape]:
        """Other assets with a vector of the same operator and model, the nearest first. `of` None: the first of `WHOLE`
        that the asset has a vector of. None if it has no such vector. Raises `REQUEST_INVALID` for a distance that is
        not of 0 to `FARTHEST`, and a limit that is not of 1 to `MOST_NEAR`."""
        ...
