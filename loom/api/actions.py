"""What was done to files: looked at by people, told by who does it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from loom.actions import ActionShape, ActionState
from loom.api.answers import Cursor, Limit, answer, nothing, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.serving import TheLoom
from loom.shapes import Page
from loom.verbs import PAGE
from loom.wire.duplicates import BeginningWire, EndWire
from loom.wire.reports import action_of_wire

router = APIRouter(prefix="/actions", tags=["actions"])


@router.get("", **route(Page[ActionShape]))
def list_actions(
    loom: TheLoom,
    run: Annotated[UUID | None, Query(description="What this run did.")] = None,
    duplicate: Annotated[UUID | None, Query(description="What was done for this group of duplicates.")] = None,
    host: Annotated[str | None, Query(max_length=255)] = None,
    state: ActionState | None = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Actions in the order in which they were written down."""
    return answer(loom.actions(run=run, duplicate=duplicate, host=host, state=state, limit=limit, cursor=cursor))


@router.get("/{uuid}", **route(ActionShape))
def get_action(loom: TheLoom, uuid: UUID) -> Response:
    return answer(loom.action(uuid))


@router.post("", **route(takes=BeginningWire, status=204))
def begin_action(loom: TheLoom, body: PeoplesBody) -> Response:
    """Something is about to be done to files; saying it twice does nothing more."""
    said = decoded(body, BeginningWire)
    loom.begin_action(said.host, action_of_wire(said.action), duplicate=said.duplicate)
    return nothing()


@router.post("/{uuid}/end", **route(takes=EndWire, status=204))
def end_action(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """It was done, it was undone, or nothing came of it."""
    loom.end_action(uuid, decoded(body, EndWire).end())
    return nothing()
