"""The catalogue of operators."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from loom.api.answers import Cursor, Limit, answer, one_page, route
from loom.api.serving import TheOperators
from loom.errors import LoomError
from loom.graph.specs import OperatorSpec
from loom.shapes import Page
from loom.verbs import PAGE

router = APIRouter(prefix="/pipelines/operators", tags=["operators"])


@router.get("", **route(Page[OperatorSpec]))
def list_operators(operators: TheOperators, limit: Limit = PAGE, cursor: Cursor = None) -> Response:
    """All operators known here, by id, with their ports, JSON Schema of the config and capabilities."""
    page = one_page(sorted(operators.ids()), limit, cursor)
    specs = [_plain(spec) for operator in page.items if (spec := operators.spec(operator)) is not None]
    return answer(Page(items=specs, next=page.next))


@router.get("/{operator}", **route(OperatorSpec))
def get_operator(operators: TheOperators, operator: str) -> Response:
    spec = operators.spec(operator)
    if spec is None:
        raise LoomError("NOT_FOUND", f"There is no operator {operator[:80]!r} here.")
    return answer(_plain(spec))


def _plain(spec: OperatorSpec) -> dict[str, Any]:
    """With its sets in order, so that the same spec is always the same text."""
    plain: dict[str, Any] = msgspec.to_builtins(spec)
    return {**plain, "kinds": sorted(plain["kinds"]), "capabilities": sorted(plain["capabilities"])}
