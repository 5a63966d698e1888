"""Workers and what they offer."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, nothing, one_page, route
from loom.api.bodies import BatchBody, decoded
from loom.api.serving import TheLoom
from loom.shapes import Page, WorkerShape
from loom.verbs import PAGE
from loom.wire.shapes import Announcement
from loom.wire.values import not_deep

router = APIRouter(tags=["workers"])


@router.get("/workers", **route(Page[WorkerShape]))
@router.get("/processing-servers", **route(Page[WorkerShape]))
def list_workers(loom: TheLoom, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """Workers by name, each with the operators that it offers."""
    return answer(one_page(loom.workers(), limit, cursor))


@router.post("/workers", **route(takes=Announcement, status=204))
def announce_worker(loom: TheLoom, body: BatchBody) -> Response:
    """Says what a worker offers from now on; the catalogue of a server is the union of what its workers offer."""
    said = decoded(body, Announcement)
    for spec in said.operators:
        not_deep(spec.config_schema)
    loom.announce(said.worker, said.host, said.operators, said.resources)
    return nothing()
