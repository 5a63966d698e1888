"""People whose faces are in pictures, and what is alike, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from loom.client.http import Http, page_limit, path_of
from loom.people import AlikeShape, FaceAt, FaceShape, PersonShape
from loom.shapes import Page
from loom.verbs import PAGE
from loom.verbs.people import FARTHEST, AlikeBy, Sorted
from loom.wire.people import MergeWire, NameWire, SortedFaces, SplitWire, faces_to_wire, sorted_of_wire


class RemotePeople:
    """See `loom.verbs.People` and `loom.verbs.people.Sorting`."""

    _http: Http

    def sort_faces(self, asset: bytes, model: str, vectors: Sequence[Any], distance: float) -> list[Sorted | None]:
        answer = self._http.post("/library/faces", SortedFaces, faces_to_wire(asset, model, vectors, distance))
        return [sorted_of_wire(one) for one in answer.items]

    def people(self, *, name: str | None = None, limit: int = PAGE, cursor: str | None = None) -> Page[PersonShape]:
        return self._http.get("/people", Page[PersonShape], name=name, limit=page_limit(limit), cursor=cursor)

    def person(self, uuid: UUID) -> PersonShape:
        return self._http.get(path_of("people", uuid), PersonShape)

    def person_faces(self, uuid: UUID, *, limit: int = PAGE, cursor: str | None = None) -> Page[FaceShape]:
        path = path_of("people", uuid, "faces")
        return self._http.get(path, Page[FaceShape], limit=page_limit(limit), cursor=cursor)

    def name_person(self, uuid: UUID, name: str | None) -> PersonShape:
        return self._http.post(path_of("people", uuid, "name"), PersonShape, NameWire(name=name))

    def merge_people(self, uuid: UUID, others: Sequence[UUID]) -> PersonShape:
        return self._http.post(path_of("people", uuid, "merge"), PersonShape, MergeWire(others=list(others)))

    def split_person(self, uuid: UUID, faces: Sequence[FaceAt]) -> PersonShape:
        return self._http.post(path_of("people", uuid, "split"), PersonShape, SplitWire(faces=list(faces)))

    def asset_people(self, uuid: UUID) -> list[FaceShape]:
        return self._http.everything(path_of("assets", uuid, "people"), Page[FaceShape])

    def asset_alike(
        self, uuid: UUID, *, of: AlikeBy | None = None, distance: float = FARTHEST, limit: int = PAGE
    ) -> list[AlikeShape]:
        path = path_of("assets", uuid, "alike")
        return self._http.get(path, Page[AlikeShape], of=of, distance=distance, limit=limit).items
