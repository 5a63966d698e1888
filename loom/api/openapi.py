"""The OpenAPI document, with the shapes that the routes name."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from loom.api.answers import COMPONENTS
from loom.api.guard import OPEN_PATHS
from loom.api.problems import MEDIA_TYPE, RefusalShape
from loom.bus.frames import Answer, Frame, PublishFrame
from loom.version import VERSION

_REF = "#/components/schemas/{name}"
_ABOUT = """Keeps pipelines, assets and results, and tells everyone.

Every address but `/healthz`, `/readyz`, `/docs`, `/openapi.json` and the page needs the token as `Authorization:
Bearer`, or the cookie that `POST /session` gives a browser; a browser's requests that change something need an
`Origin`. Lists answer `{"items": [...], "next": cursor or null}`. Errors are `application/problem+json` with a stable
`code`.

Events: WebSocket `/api/v1/pipelines/events/ws?pipeline=&run=&node=&status=&type=&after=SEQ&batch=MS` sends a `Frame`
each (with `batch` arrays of them); `type=none` sends no events. Workers publish there: a `PublishFrame` is answered by
an `AckFrame` or a `RefusalFrame`."""


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1 of all routes."""
    document = get_openapi(title="Loom", version=VERSION, description=_ABOUT, routes=app.routes)
    (problem, *_), schemas = msgspec.json.schema_components(
        [RefusalShape, Frame, Answer, PublishFrame], ref_template=_REF
    )
    refused = {"description": "What went wrong.", "content": {MEDIA_TYPE: {"schema": problem}}}
    for path in document["paths"].values():
        for operation in path.values():
            schemas.update(operation.pop(COMPONENTS, {}))
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = refused
    document["components"] = {
        "schemas": dict(sorted(schemas.items())),
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }
    document["security"] = [{"token": []}]
    for path in OPEN_PATHS:
        document["paths"][path]["get"]["security"] = []
    return document
