"""Errors as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from loom.errors import CODES, LoomError
from loom.graph.diagnostics import DefinitionError
from loom.shapes import DiagnosticShape

MEDIA_TYPE = "application/problem+json"
_CODE_OF_STATUS = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED", 413: "BODY_TOO_LARGE"}
_MOST_TOLD = 20


class RefusalShape(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong. `code` is stable, `detail` is for people; `retryable`: the same again may work later.
    `diagnostics` come with `DEFINITION_INVALID`."""

    title: str
    status: int
    code: str
    detail: str
    retryable: bool
    type: str = "about:blank"
    diagnostics: list[DiagnosticShape] | None = None


def problem_of(error: LoomError) -> RefusalShape:
    diagnostics = list(error.diagnostics) if isinstance(error, DefinitionError) else None
    return RefusalShape(
        title=CODES[error.code].sentence,
        status=error.http_status,
        code=error.code,
        detail=error.message,
        retryable=error.retryable,
        diagnostics=diagnostics,
    )


def problem_body(error: LoomError) -> bytes:
    fields = msgspec.to_builtins(problem_of(error))
    if fields["diagnostics"] is None:
        del fields["diagnostics"]
    return msgspec.json.encode(fields)


def problem_headers(error: LoomError) -> dict[str, str]:
    """Headers that belong to a refusal."""
    headers = {"Content-Type": MEDIA_TYPE}
    if error.code == "UNAUTHORIZED":
        headers["WWW-Authenticate"] = "Bearer"
    if error.code == "BODY_TOO_LARGE":
        headers["Connection"] = "close"
    if error.http_status == 503:
        headers["Retry-After"] = "2"
    return headers


def problem_response(error: LoomError, headers: Mapping[str, str] | None = None) -> Response:
    return Response(problem_body(error), error.http_status, {**problem_headers(error), **(headers or {})})


def answer_with_problems(app: FastAPI) -> None:
    """Makes every error of the app a problem; what is not expected says nothing of its inside."""
    app.add_exception_handler(LoomError, _loom_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _loom_error(_: Request, error: Any) -> Response:
    return problem_response(error)


async def _invalid(_: Request, error: Any) -> Response:
    told = [_sentence(one) for one in error.errors()[:_MOST_TOLD]]
    return problem_response(LoomError("REQUEST_INVALID", "; ".join(told) or None))


def _sentence(one: Mapping[str, Any]) -> str:
    """What is wrong with one value, for a person."""
    where = ".".join(str(part) for part in one["loc"])
    if one["type"].startswith("uuid"):
        return f"{where}: {str(one['input'])[:64]!r} is not a UUID"
    return f"{where}: {one['msg']}"


async def _http_error(_: Request, error: Any) -> Response:
    code = _CODE_OF_STATUS.get(error.status_code, "REQUEST_INVALID" if error.status_code < 500 else "INTERNAL")
    return problem_response(LoomError(code), error.headers)


async def _gone(_: Request, error: Any) -> Response:
    return problem_response(LoomError("REQUEST_INVALID", "The request ended before its body did."))


async def _unexpected(_: Request, error: Any) -> Response:
    return problem_response(LoomError("INTERNAL"))
