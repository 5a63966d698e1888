"""Runs: asked for by people, handed to workers, paused, resumed, cancelled and tried again."""

from __future__ import annotations

import time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from loom.api.answers import Limit, answer, nothing, route
from loom.api.bodies import BatchBody, PeoplesBody, decoded, decoded_object
from loom.api.queries import Asked
from loom.api.serving import TheLoom
from loom.errors import LoomError
from loom.shapes import ForecastShape, GridShape, KindCost, Page, RunShape
from loom.verbs import PAGE
from loom.wire.runs import selection_of_wire
from loom.wire.shapes import SelectionWire
from loom.wire.steering import (
    ClaimWire,
    OrdersGiven,
    OrdersQuestion,
    PauseWish,
    ReleaseWire,
    RequestWire,
    ResumeWish,
    RunWish,
    orders_to_wire,
    pause_of_wish,
    request_of_wish,
    request_to_wire,
)

router = APIRouter(tags=["runs"])
Name = Annotated[str, Path(max_length=255)]


@router.post("/pipelines/{name}/runs", **route(RunShape, RunWish, status=202))
def request_run(loom: TheLoom, name: Name, body: BatchBody) -> Response:
    """Asks for a run, which waits (QUEUED) for a worker."""
    made = loom.request_run(request_of_wish(name, decoded(body, RunWish)))
    return answer(made, 202, {"Location": f"/api/v1/runs/{made.uuid}"})


@router.get("/pipelines/{name}/plan", **route(ForecastShape))
def plan_run(
    loom: TheLoom,
    name: Name,
    query: Asked,
) -> Response:
    """What a run of the current version over the present assets that fit would find stored, and what it would have to
    compute at most, with the time that takes on one core."""
    return answer(loom.forecast(name, query))


@router.post("/pipelines/{name}/plan", **route(ForecastShape, dict[str, Any]))
def plan_definition(loom: TheLoom, name: Name, query: Asked, body: PeoplesBody) -> Response:
    """The same of a definition that need not be stored; what was computed by versions stored under its name counts as
    stale. Nothing is stored."""
    return answer(loom.forecast(name, query, decoded_object(body)))


@router.get("/pipelines/{name}/costs", **route(Page[KindCost]))
def get_costs(loom: TheLoom, name: Name) -> Response:
    """What assets took in the newest runs of a pipeline, by kind; nothing where nothing was ever computed."""
    return answer(Page(items=loom.costs(name)))


@router.get("/runs/{uuid}/grid", **route(GridShape))
def get_grid(
    loom: TheLoom, uuid: UUID, offset: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0, limit: Limit = PAGE
) -> Response:
    """A piece of the grid of assets and nodes, in the order in which the assets were walked."""
    return answer(loom.run_grid(uuid, offset=offset, limit=limit))


@router.post("/runs/claim", **route(RequestWire, ClaimWire))
def claim_run(loom: TheLoom, body: PeoplesBody) -> Response:
    """The run that has waited longest for a worker on this host, or whose worker was not heard of for half a minute;
    204 when there is none."""
    said = decoded(body, ClaimWire)
    claimed = loom.claim_run(said.worker, said.host)
    return nothing() if claimed is None else answer(request_to_wire(claimed))


@router.post("/runs/orders", **route(OrdersGiven, OrdersQuestion))
def give_orders(loom: TheLoom, body: PeoplesBody) -> Response:
    """What becomes of the runs that a worker has in hand; it keeps those that it has claimed."""
    asked = decoded(body, OrdersQuestion)
    return answer(OrdersGiven([orders_to_wire(one) for one in loom.orders(asked.worker, asked.runs)]))


@router.post("/runs/{uuid}/release", **route(takes=ReleaseWire, status=204))
def release_run(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """A worker gives a run back to the queue, or ends it with an error."""
    said = decoded(body, ReleaseWire)
    fault = said.error
    error = None if fault is None else LoomError(fault.code, fault.message or "The worker gave no reason.")
    loom.release_run(uuid, said.worker, error)
    return nothing()


@router.post("/runs/{uuid}/pause", **route(RunShape, PauseWish))
def pause_run(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """Lets a run stand still until the same owner resumes it."""
    wish = decoded(body or b"{}", PauseWish)
    return answer(loom.pause_run(uuid, pause_of_wish(wish, time.time_ns() // 1000)))


@router.post("/runs/{uuid}/resume", **route(RunShape, ResumeWish))
def resume_run(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """Lifts the pause of one owner; the run goes on when it was the last."""
    return answer(loom.resume_run(uuid, decoded(body or b"{}", ResumeWish).owner))


@router.post("/runs/{uuid}/cancel", **route(RunShape))
def cancel_run(loom: TheLoom, uuid: UUID) -> Response:
    """Ends a run for good: at once when no worker has it, else as soon as its worker hears of it."""
    return answer(loom.cancel_run(uuid))


@router.post("/runs/{uuid}/retry", **route(Page[RunShape], SelectionWire, status=202))
def retry_run(loom: TheLoom, uuid: UUID, body: PeoplesBody) -> Response:
    """Forgets the failures of a run that are meant, and queues runs over their places."""
    wanted = msgspec.structs.replace(decoded(body or b"{}", SelectionWire), run=uuid)
    return answer(Page(items=loom.retry(selection_of_wire(wanted))), 202)
