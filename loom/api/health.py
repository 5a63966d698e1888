"""Whether this server lives, whether it can work, and its counts."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from loom.api.answers import answer, route
from loom.api.metrics import MEDIA_TYPE
from loom.api.problems import problem_response
from loom.api.serving import TheHub, TheLoom, TheMetrics
from loom.errors import LoomError
from loom.version import VERSION

router = APIRouter(tags=["health"])


class HealthShape(msgspec.Struct, frozen=True):
    status: str
    version: str


@router.get("/healthz", **route(HealthShape))
async def health() -> Response:
    """The process lives. Needs no token. It waits for no thread: all may be busy with the database."""
    return answer(HealthShape("ok", VERSION))


@router.get("/readyz", **route(HealthShape))
def readiness(request: Request) -> Response:
    """The database answers. Needs no token, so that what is wrong is told without details."""
    check: Any = request.app.state.readiness
    try:
        check()
    except LoomError as error:
        return problem_response(LoomError(error.code))
    return answer(HealthShape("ready", VERSION))


for _path, _check in (("/healthz", health), ("/readyz", readiness)):
    router.add_api_route(_path, _check, methods=["HEAD"], include_in_schema=False)


@router.get("/metrics", **route(media="text/plain"))
def metrics(counts: TheMetrics, hub: TheHub, loom: TheLoom) -> Response:
    """Counts in the text format of Prometheus."""
    return Response(counts.text(hub, loom.process_pipelines()), media_type=MEDIA_TYPE)
