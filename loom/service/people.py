"""People whose faces are in pictures, and what is alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from loom.people import AlikeShape, FaceAt, FaceShape, PersonShape
from loom.service.base import Holding, now_us
from loom.shapes import Page
from loom.store import alike, naming, people, peoplelist
from loom.verbs import PAGE
from loom.verbs.people import FARTHEST, AlikeBy, Sorted


class LocalPeople(Holding):
    """See `loom.verbs.People` and `loom.verbs.people.Sorting`."""

    def sort_faces(self, asset: bytes, model: str, vectors: Sequence[Any], distance: float) -> list[Sorted | None]:
        with self._vectors.alone(), self._database.write() as connection:
            return people.sort(connection, self._vectors, asset, model, vectors, distance, now_us())

    def people(self, *, name: str | None = None, limit: int = PAGE, cursor: str | None = None) -> Page[PersonShape]:
        with self._database.read() as connection:
            return peoplelist.page(connection, name, limit, cursor)

    def person(self, uuid: UUID) -> PersonShape:
        with self._database.read() as connection:
            return peoplelist.one(connection, uuid)

    def person_faces(self, uuid: UUID, *, limit: int = PAGE, cursor: str | None = None) -> Page[FaceShape]:
        with self._database.read() as connection:
            return peoplelist.faces(connection, uuid, limit, cursor)

    def name_person(self, uuid: UUID, name: str | None) -> PersonShape:
        with self._database.write() as connection:
            naming.name(connection, uuid, name)
            return peoplelist.one(connection, uuid)

    def merge_people(self, uuid: UUID, others: Sequence[UUID]) -> PersonShape:
        with self._database.write() as connection:
            naming.merge(connection, uuid, others)
            return peoplelist.one(connection, uuid)

    def split_person(self, uuid: UUID, faces: Sequence[FaceAt]) -> PersonShape:
        with self._database.write() as connection:
            return peoplelist.one(connection, naming.split(connection, uuid, faces, now_us()))

    def asset_people(self, uuid: UUID) -> list[FaceShape]:
        with self._database.read() as connection:
            return peoplelist.of_asset(connection, uuid)

    def asset_alike(
        self, uuid: UUID, *, of: AlikeBy | None = None, distance: float = FARTHEST, limit: int = PAGE
    ) -> list[AlikeShape]:
        with self._vectors.alone(), self._database.read() as connection:
            return alike.alike(connection, self._vectors, uuid, of, distance, limit)
