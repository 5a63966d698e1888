"""Parameters of queries that nobody reads are refused: a misspelt filter would be answered with everything."""

from __future__ import annotations

from difflib import get_close_matches

from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.requests import HTTPConnection

from loom.errors import LoomError

_KNOWN: dict[object, frozenset[str]] = {}


async def only_known(connection: HTTPConnection) -> None:
    """Raises `REQUEST_INVALID` for a parameter that the route does not have."""
    route = connection.scope.get("route")
    if not connection.query_params or not isinstance(route, APIRoute):
        return
    known = _KNOWN.get(route.endpoint)
    if known is None:
        known = _KNOWN[route.endpoint] = _names(route)
    for name in connection.query_params:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"; {near[0]!r} is one" if near else ""
            raise LoomError("REQUEST_INVALID", f"There is no parameter {name[:64]!r} here{hint}.")


def _names(route: APIRoute) -> frozenset[str]:
    """As they are documented."""
    documented = get_openapi(title="", version="", routes=[route])["paths"]
    return frozenset(
        parameter["name"]
        for methods in documented.values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    )
