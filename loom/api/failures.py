"""Failed results grouped by cause."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, one_page, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.serving import TheLoom
from loom.problems import FailureShape
from loom.shapes import Page, RunShape
from loom.verbs import PAGE
from loom.wire.runs import place_to_wire, selection_of_wire
from loom.wire.shapes import Counted, Places, SelectionWire

router = APIRouter(prefix="/failures", tags=["failures"])


@router.get("", **route(Page[FailureShape]))
def list_failures(
    loom: TheLoom,
    run: UUID | None = None,
    node: Annotated[str | None, Query(max_length=64)] = None,
    code: Annotated[str | None, Query(max_length=64)] = None,
    asset: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    aside: bool = False,
    cause: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Causes of failures, the most frequent first; of all results, or of the outcomes of one run. Those that were set
    aside are among them only with `aside`."""
    wanted = SelectionWire(
        run=run, node=node, code=code, asset=asset, since=since, until=until, aside=aside, cause=cause
    )
    return answer(one_page(loom.failures(selection_of_wire(wanted)), limit, cursor))


@router.post("/places", **route(Places, SelectionWire))
def failed_places(loom: TheLoom, body: PeoplesBody) -> Response:
    """Where the assets lie whose failed results are meant, and the version of the pipeline that failed on them."""
    places = loom.failed_places(selection_of_wire(decoded(body, SelectionWire)))
    return answer(Places([place_to_wire(place) for place in places]))


@router.post("/forget", **route(Places, SelectionWire))
def forget_failures(loom: TheLoom, body: PeoplesBody) -> Response:
    """Forgets the failed results that are meant, so that the next visit computes them; says where their assets
    lie."""
    places = loom.forget(selection_of_wire(decoded(body, SelectionWire)))
    return answer(Places([place_to_wire(place) for place in places]))


@router.post("/retry", **route(Page[RunShape], SelectionWire, status=202))
def retry_failures(loom: TheLoom, body: PeoplesBody) -> Response:
    """Forgets the failed results that are meant, and queues a run over their places for each pipeline and host."""
    made = loom.retry(selection_of_wire(decoded(body, SelectionWire)))
    return answer(Page(items=made), 202)


@router.post("/set-aside", **route(Counted, SelectionWire))
def set_failures_aside(loom: TheLoom, body: PeoplesBody) -> Response:
    """These failures are known and left: they are no longer shown or tried again unless someone asks for them; says
    how many."""
    return answer(Counted(loom.set_aside(selection_of_wire(decoded(body, SelectionWire)))))
