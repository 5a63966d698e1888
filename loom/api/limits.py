"""How many files operators and resources may have in hand at a time."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from loom.api.answers import answer, nothing, route
from loom.api.bodies import PeoplesBody, decoded
from loom.api.serving import TheLoom
from loom.wire.sources import LimitsWire, LimitWire

router = APIRouter(prefix="/limits", tags=["limits"])
Name = Annotated[str, Path(max_length=255)]


@router.get("", **route(LimitsWire))
def list_limits(loom: TheLoom) -> Response:
    """The limits that are in force, by name."""
    return answer(LimitsWire(limits=loom.limits()))


@router.put("/{name}", **route(LimitsWire, LimitWire))
def put_limit(loom: TheLoom, name: Name, body: PeoplesBody) -> Response:
    """Sets the limit of an operator, of a capability (`network`, `gpu`), or of all worker processes together (`jobs`);
    runs that are at work keep to it within seconds."""
    return answer(LimitsWire(limits=loom.set_limit(name, decoded(body, LimitWire).number)))


@router.delete("/{name}", **route(status=204))
def delete_limit(loom: TheLoom, name: Name) -> Response:
    """Lifts a limit."""
    loom.set_limit(name, None)
    return nothing()
