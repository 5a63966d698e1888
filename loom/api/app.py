"""Loom's API as an ASGI app: HTTP and WebSocket over the verbs and the bus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from fastapi import APIRouter, Depends, FastAPI
from starlette.routing import BaseRoute

from loom.api import (
    actions,
    artifacts,
    assets,
    compiling,
    content,
    docs,
    duplicates,
    events,
    failures,
    health,
    library,
    limits,
    locations,
    operators,
    page,
    people,
    pipelines,
    processes,
    results,
    runs,
    runtime,
    sessions,
    sources,
    steering,
    system,
    workers,
)
from loom.api.bodies import Limits
from loom.api.guard import Guard
from loom.api.hosts import AllowedHosts
from loom.api.lines import Pace
from loom.api.metrics import Measure, Metrics
from loom.api.openapi import openapi_document
from loom.api.parameters import only_known
from loom.api.parting import Parting
from loom.api.problems import answer_with_problems
from loom.api.publishing import Publishing
from loom.api.sessions import Sessions
from loom.bus.hub import Hub
from loom.errors import LoomError
from loom.graph.specs import Operators
from loom.verbs import Loom
from loom.version import VERSION

PREFIX = "/api/v1"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

# those with fixed addresses below /pipelines come before the one that takes names
_RESOURCES = (
    *(operators, compiling, runtime, events, pipelines, runs, failures, assets, artifacts, results, locations),
    *(content, steering, workers, sources, limits, duplicates, people, actions, library, processes, system),
    sessions,
)


def create_app(
    loom: Loom,
    hub: Hub,
    catalogue: Operators,
    *,
    token: str,
    signed_in: Sessions | None = None,
    allowed_hosts: Iterable[str] = LOOPBACK,
    readiness: Callable[[], object] | None = None,
    limits: Limits = Limits(),  # noqa: B008
    pace: Pace = Pace(),  # noqa: B008
) -> FastAPI:
    """The app. `readiness` raises a `LoomError` when this server cannot work; by default the database is asked for a
    run. `token` must not be empty; `signed_in` are the sessions of browsers. Raises `CONFIG_INVALID` for allowed hosts
    that are none."""
    app = FastAPI(
        title="Loom", version=VERSION, openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.state.loom = loom
    app.state.hub = hub
    app.state.operators = catalogue
    app.state.metrics = Metrics()
    app.state.token = token
    app.state.sessions = known = signed_in or Sessions()
    app.state.publishing = Publishing(hub)
    app.state.readiness = readiness or (lambda: loom.runs(limit=1))
    app.state.limits = limits
    app.state.pace = pace
    app.router.routes.extend(_routes())
    app.add_middleware(Parting)
    app.add_middleware(Guard, token=token, allowed_hosts=_hosts(allowed_hosts), sessions=known)
    app.add_middleware(Measure, metrics=app.state.metrics)
    answer_with_problems(app)
    app.openapi = cache(lambda: openapi_document(app))  # type: ignore[method-assign]
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """They know of no app, and to analyse them all takes longer than the rest of a start."""
    every = APIRouter()
    for resource in _RESOURCES:
        every.include_router(resource.router, prefix=PREFIX, dependencies=[Depends(only_known)])
    for router in (health.router, docs.router, page.router):
        every.include_router(router)
    return tuple(every.routes)


def _hosts(names: Iterable[str]) -> AllowedHosts:
    """Read here: the framework makes its middleware at the first request, too late to refuse."""
    try:
        return AllowedHosts(names)
    except ValueError as error:
        raise LoomError("CONFIG_INVALID", f"allowed_hosts (LOOM_ALLOWED_HOSTS): {error}") from error
