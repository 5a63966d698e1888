"""The bus over WebSocket: events out to whoever listens, events in from workers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NamedTuple

import msgspec
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket, WebSocketDisconnect

from loom.api.lines import Line, Pace, Stalled, line_to
from loom.api.metrics import Metrics
from loom.api.parting import to_its_end
from loom.api.problems import problem_response
from loom.api.publishing import Publishing
from loom.api.serving import TheHub, TheMetrics
from loom.bus.filter import Filter
from loom.bus.hub import Hub, Subscription
from loom.errors import LoomError

router = APIRouter()
MAX_PUBLISH = 1024 * 1024
"""Bytes of a message that publishes."""

MAX_OTHER = 64 * 1024
"""Bytes of any other message."""

MAX_BATCH_MS = 60_000
_GOING_AWAY = 1012
_UNSUPPORTED = 1003
_TOO_BIG = 1009


class Wishes(NamedTuple):
    """What the address asks for."""

    wanted: Filter
    after: int | None
    batch_ms: int | None


@router.websocket("/pipelines/events/ws")
async def events(websocket: WebSocket, hub: TheHub, metrics: TheMetrics) -> None:
    """Sends `hello`, then events as they come; takes `publish`."""
    try:
        wishes = _wishes(websocket.query_params)
    except LoomError as error:
        await websocket.send_denial_response(problem_response(error))
        return
    await websocket.accept()
    with hub.subscribe(wishes.wanted, wishes.after) as subscription:
        if wishes.wanted.is_nothing:
            subscription.close()
        session = _Session(websocket, hub, subscription, wishes, metrics)
        with suppress(WebSocketDisconnect):
            await session.run()


class _Session:
    """One connection: a task that sends and one that listens; it ends with the first of them."""

    def __init__(
        self, websocket: WebSocket, hub: Hub, subscription: Subscription, wishes: Wishes, metrics: Metrics
    ) -> None:
        pace: Pace = websocket.app.state.pace
        batched = wishes.batch_ms is not None
        self._websocket = websocket
        self._hub = hub
        self._subscription = subscription
        self._listens = not wishes.wanted.is_nothing
        self._metrics = metrics
        self._rest = pace.rest if wishes.batch_ms is None else wishes.batch_ms / 1000
        self._line: Line = line_to(websocket, self._has_lost, pace, batched=batched)

    async def run(self) -> None:
        try:
            await self._line.say(self._subscription.hello)
            tasks = [asyncio.create_task(self._listen())]
            if self._listens:
                tasks.append(asyncio.create_task(self._send()))
            await _until_one_ends(tasks)
        except Stalled:
            self._metrics.stalled()
            await self._line.dismiss(self._subscription.cursor + 1, self._hub.seq if self._listens else 0)

    async def _send(self) -> None:
        subscription, line = self._subscription, self._line
        while True:
            await line.ready()
            pieces = subscription.take()
            if pieces:
                await line.send(pieces)
            if subscription.behind:
                await asyncio.sleep(0)
            elif pieces:
                await asyncio.sleep(self._rest)
            elif not await subscription.changed():
                await self._websocket.close(_GOING_AWAY)
                return

    async def _listen(self) -> None:
        publishing: Publishing = self._websocket.app.state.publishing
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if text is None:
                await self._websocket.close(_UNSUPPORTED)
                return
            if len(text) > MAX_OTHER and not _publishes(text):
                await self._websocket.close(_TOO_BIG)
                return
            answer = await to_its_end(run_in_threadpool(publishing.take, text))
            await self._line.say(msgspec.json.encode(answer))

    def _has_lost(self) -> bool:
        return self._listens and self._subscription.fallen_behind()


async def _until_one_ends(tasks: list[asyncio.Task[None]]) -> None:
    """Waits for the first, stops the others; raises what the first raised."""
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _publishes(text: str) -> bool:
    """Whether a long message says at its beginning what it is."""
    return '"publish"' in text[:200]


def _wishes(query: QueryParams) -> Wishes:
    return Wishes(
        Filter.parse(
            pipeline=query.getlist("pipeline"),
            run=query.getlist("run"),
            node=query.getlist("node"),
            status=query.getlist("status"),
            type=query.getlist("type"),
            asset=query.getlist("asset"),
        ),
        _number(query, "after", 2**63 - 1),
        _number(query, "batch", MAX_BATCH_MS),
    )


def _number(query: QueryParams, name: str, most: int) -> int | None:
    text = query.get(name)
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= most):
        raise LoomError("REQUEST_INVALID", f"{name} is a whole number from 0 to {most}.")
    return int(text)
