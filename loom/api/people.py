"""People whose faces are in pictures: looked at, named, joined and split by who knows them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.serving import TheLoom
from loom.people import FaceShape, PersonShape
from loom.shapes import Page
from loom.verbs import PAGE
from loom.wire.people import MergeWire, NameWire, SplitWire

router = APIRouter(prefix="/people", tags=["people"])


@router.get("", **route(Page[PersonShape]))
def list_people(
    loom: TheLoom,
    name: Annotated[str | None, Query(max_length=4096, description="Who is called so, whatever the case.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Those with the most faces first."""
    return answer(loom.people(name=name, limit=limit, cursor=cursor))


@router.get("/{uuid}", **route(PersonShape))
def get_person(loom: TheLoom, uuid: UUID) -> Response:
    return answer(loom.person(uuid))


@router.get("/{uuid}/faces", **route(Page[FaceShape]))
def list_faces_of_person(loom: TheLoom, uuid: UUID, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """The faces of a person, in the order in which they came to be known, each with its asset."""
    return answer(loom.person_faces(uuid, limit=limit, cursor=cursor))


@router.post("/{uuid}/name", **route(PersonShape, NameWire))
def name_person(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """What a person is called."""
    return answer(loom.name_person(uuid, decoded(body, NameWire).name))


@router.post("/{uuid}/merge", **route(PersonShape, MergeWire))
def merge_people(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """Others are the same person, whose name holds."""
    return answer(loom.merge_people(uuid, decoded(body, MergeWire).others))


@router.post("/{uuid}/split", **route(PersonShape, SplitWire))
def split_person(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """Some faces are of somebody else, who is the answer."""
    return answer(loom.split_person(uuid, decoded(body, SplitWire).faces))
