"""Failed results grouped by cause."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, one_page, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.serving import TheLoom
from loom.shapes import FailureShape, Page
from loom.verbs import PAGE, Selection
from loom.wire.runs import place_to_wire, selection_of_wire
from loom.wire.shapes import Places, SelectionWire

router = APIRouter(prefix="/failures", tags=["failures"])


@router.get("", **route(Page[FailureShape]))
def list_failures(
    loom: TheLoom,
    run: UUID | None = None,
    node: Annotated[str | None, Query(max_length=64)] = None,
    code: Annotated[str | None, Query(max_length=64)] = None,
    asset: UUID | None = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Causes of failures, the most frequent first; of all results, or of the outcomes of one run."""
    return answer(one_page(loom.failures(Selection(run, node, code, asset)), limit, cursor))


@router.post("/forget", **route(Places, SelectionWire))
def forget_failures(loom: TheLoom, body: PeoplesBody) -> Response:
    """Forgets the failed results that are meant, so that the next visit computes them; says where their assets
    lie."""
    places = loom.forget(selection_of_wire(decoded(body, SelectionWire)))
    return answer(Places([place_to_wire(place) for place in places]))
