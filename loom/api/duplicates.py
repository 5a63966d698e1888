"""Groups of duplicates: looked at, and decided on, by people."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.serving import TheLoom
from loom.duplicates import DuplicateKind, DuplicateShape, DuplicateState
from loom.shapes import Page
from loom.verbs import PAGE
from loom.wire.duplicates import DecisionWire, NoWords, SeenWire

router = APIRouter(prefix="/duplicates", tags=["duplicates"])


@router.get("", **route(Page[DuplicateShape]))
def list_duplicates(
    loom: TheLoom,
    state: DuplicateState | None = None,
    kind: DuplicateKind | None = None,
    asset: Annotated[UUID | None, Query(description="Groups that this asset is a member of.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Groups of duplicates, in the order in which they were proposed."""
    return answer(loom.duplicates(state=state, kind=kind, asset=asset, limit=limit, cursor=cursor))


@router.get("/{uuid}", **route(DuplicateShape))
def get_duplicate(loom: TheLoom, uuid: UUID) -> Response:
    return answer(loom.duplicate(uuid))


@router.post("/{uuid}/confirm", **route(DuplicateShape, DecisionWire))
def confirm_duplicate(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """The members are duplicates, and one is kept. No file is moved: that is what `cortex duplicates apply` does."""
    return answer(loom.confirm_duplicate(uuid, decoded(body, DecisionWire).decision()))


@router.post("/{uuid}/reject", **route(DuplicateShape, SeenWire))
def reject_duplicate(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """The members are no duplicates; they are not proposed together again."""
    return answer(loom.reject_duplicate(uuid, decoded(body, SeenWire).seen))


@router.post("/{uuid}/reopen", **route(DuplicateShape, NoWords))
def reopen_duplicate(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """Nothing is decided any more; refused when files of the group were moved."""
    decoded(body, NoWords)
    return answer(loom.reopen_duplicate(uuid))
