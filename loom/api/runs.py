"""Runs, what they gave, and runs that a worker executes itself."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, nothing, route
from loom.api.bodies import BatchBody, MostOfPeople, decoded, refuse_larger
from loom.api.serving import TheLoom
from loom.model import State
from loom.problems import ProblemShape
from loom.shapes import FlowShape, Page, ResultShape, RunShape
from loom.verbs import PAGE
from loom.wire.reports import AheadWire, action_of_wire
from loom.wire.runs import closing_of_wire, opening_of_wire
from loom.wire.shapes import ClosingWire, OpeningWire

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("", **route(Page[RunShape]))
def list_runs(
    loom: TheLoom,
    pipeline: Annotated[str | None, Query(max_length=255)] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """Runs, the newest first."""
    return answer(loom.runs(pipeline=pipeline, limit=limit, cursor=cursor))


@router.post("", **route(RunShape, OpeningWire, status=201))
def open_run(loom: TheLoom, body: BatchBody, most: MostOfPeople) -> Response:
    """Begins a run that the caller executes itself, of a stored version or of a definition that comes along, which is
    checked as one that is saved. Saying it twice does nothing more."""
    wire = decoded(body, OpeningWire)
    refuse_larger(most, wire.definition, "definition")
    opening = opening_of_wire(wire)
    loom.open_run(opening)
    return answer(loom.run(opening.uuid), 201, {"Location": f"/api/v1/runs/{opening.uuid}"})


@router.get("/{uuid}", **route(RunShape))
def get_run(loom: TheLoom, uuid: UUID) -> Response:
    return answer(loom.run(uuid))


@router.post("/{uuid}/finish", **route(RunShape, ClosingWire))
def finish_run(loom: TheLoom, uuid: UUID, body: BatchBody) -> Response:
    """Ends a run that the caller executed itself."""
    loom.finish_run(closing_of_wire(uuid, decoded(body, ClosingWire)))
    return answer(loom.run(uuid))


@router.post("/{uuid}/actions", **route(takes=AheadWire, status=204))
def say_ahead(loom: TheLoom, uuid: UUID, body: BatchBody) -> Response:
    """What a run that the caller executes is about to do to files, before it does it."""
    said = decoded(body, AheadWire)
    loom.intend(uuid, [action_of_wire(item) for item in said.items], said.dropped, worker=said.worker)
    return nothing()


@router.get("/{uuid}/results", **route(Page[ResultShape]))
def list_results_of_run(
    loom: TheLoom,
    uuid: UUID,
    state: State | None = None,
    node: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> Response:
    """The outcomes of a run, each with the result it has."""
    return answer(loom.run_results(uuid, state=state, node=node, limit=limit, cursor=cursor))


@router.get("/{uuid}/problems", **route(Page[ProblemShape]))
def list_problems_of_run(loom: TheLoom, uuid: UUID, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """What kept a run from files, folders and sources: files that cannot be opened, a disk that is away; the first
    thousand."""
    return answer(loom.run_problems(uuid, limit=limit, cursor=cursor))


@router.get("/{uuid}/flow", **route(FlowShape))
def get_flow_of_run(loom: TheLoom, uuid: UUID) -> Response:
    """What went from node to node, as far as it is stored: assets by verdict and reason, and typical times."""
    return answer(loom.run_flow(uuid))
