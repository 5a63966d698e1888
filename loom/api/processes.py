"""Process pipelines: what they tell of themselves, and who looks at them."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, nothing, one_page, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.serving import TheLoom
from loom.processes import ProcessPipelineShape
from loom.shapes import Page
from loom.verbs import PAGE
from loom.wire.processes import ProcessPipelineWire, process_pipeline_of_wire

router = APIRouter(prefix="/process-pipelines", tags=["process pipelines"])


@router.get("", **route(Page[ProcessPipelineShape]))
def list_process_pipelines(loom: TheLoom, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """Those that were heard of lately, the newest first."""
    return answer(one_page(loom.process_pipelines(), limit, cursor))


@router.get("/{run}", **route(ProcessPipelineShape))
def get_process_pipeline(loom: TheLoom, run: UUID) -> Response:
    return answer(loom.process_pipeline(run))


@router.put("/{run}", **route(takes=ProcessPipelineWire, status=204))
def report_process_pipeline(loom: TheLoom, run: UUID, body: PeoplesBody) -> Response:
    """How a process pipeline stands, about once a second."""
    loom.report_process_pipeline(process_pipeline_of_wire(run, decoded(body, ProcessPipelineWire)))
    return nothing()


@router.delete("/{run}", **route(status=204))
def forget_process_pipeline(loom: TheLoom, run: UUID) -> Response:
    """Nothing more is known of it, also when nothing was."""
    loom.forget_process_pipeline(run)
    return nothing()
