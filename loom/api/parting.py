"""What is still at work when the server stops: who asked is told so, and the work comes to its end first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loom.api.problems import problem_body, problem_headers
from loom.errors import LoomError

T = TypeVar("T")


class Parting:
    """ASGI middleware. A server that stops cancels the requests that take too long. Those that were not answered yet
    are told to come again (503, retryable); what a thread does for them cannot be cancelled, and is waited for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = has_parted = False

        async def sending(message: Message) -> None:
            nonlocal has_begun
            if not has_parted:
                has_begun = True
                await send(message)

        work = asyncio.ensure_future(self._app(scope, receive, sending))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            has_parted = True
            if not has_begun:
                await _say_goodbye(send)
            await _end_of(work)


async def to_its_end(work: Awaitable[T]) -> T:
    """As awaiting it, but work that is under way in a thread comes to its end even when who waits is cancelled."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await _end_of(task)
        raise


async def _say_goodbye(send: Send) -> None:
    error = LoomError("LOOM_UNREACHABLE", "Loom is being stopped; whether this was done is not known.")
    body = problem_body(error)
    headers = {**problem_headers(error), "Content-Length": str(len(body)), "Connection": "close"}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": error.http_status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _end_of(work: asyncio.Future[Any]) -> None:
    """Waits however often it is cancelled. What the work gives or raises is nobody's business any more."""
    while not work.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([work])
    if not work.cancelled():
        work.exception()
