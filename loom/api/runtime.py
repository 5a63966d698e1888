"""What runs now, dry runs too."""

from __future__ import annotations

from uuid import UUID

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from loom.api.answers import answer, route
from loom.api.serving import TheHub
from loom.bus.encoding import time_text
from loom.bus.live import Live
from loom.model import AssetCounts, NodeCounts, asset_uuid
from loom.wire.values import sendable

router = APIRouter(prefix="/pipelines/runtime", tags=["runs"])


class LiveShape(msgspec.Struct, frozen=True, kw_only=True):
    """A run that goes on. `started` is null when this server was not there; `heard` is when it last heard of the run;
    counts are null before the first progress."""

    run: UUID
    pipeline: str
    dry_run: bool
    paused: bool
    started: str | None
    heard: str
    assets: AssetCounts | None = None
    nodes: dict[str, NodeCounts] = {}
    bytes: int = 0
    total: int | None = None
    fraction: float | None = None
    seconds_left: float | None = None
    current: list[str] = []
    waiting: list[str] = []


class RuntimeShape(msgspec.Struct, frozen=True, kw_only=True):
    """`seq` is the number of the newest event, `listeners` how many listen to the bus."""

    seq: int
    listeners: int
    runs: list[LiveShape]


class StepShape(msgspec.Struct, frozen=True, kw_only=True):
    """A node that works on an asset."""

    node: str
    asset: UUID


class AtWorkShape(msgspec.Struct, frozen=True, kw_only=True):
    """What was at work when event number `seq` was the newest."""

    seq: int
    items: list[StepShape]


@router.get("/at-work", **route(AtWorkShape))
def at_work(hub: TheHub, run: UUID) -> Response:
    """The nodes of a run that have begun and not ended, as its newest events tell."""
    seq, begun = hub.at_work(run)
    items = [StepShape(node=event.node, asset=asset_uuid(event.asset)) for event in begun]
    return answer(AtWorkShape(seq=seq, items=items))


@router.get("/status", **route(RuntimeShape))
def runtime_status(hub: TheHub) -> Response:
    """The runs that go on now, with their progress."""
    runs = [_live(live) for live in hub.live()]
    return answer(RuntimeShape(seq=hub.seq, listeners=hub.listeners, runs=runs))


def _live(live: Live) -> LiveShape:
    progress = live.progress
    shape = LiveShape(
        run=live.run.uuid,
        pipeline=live.run.pipeline,
        dry_run=live.run.dry_run,
        paused=live.paused,
        started=None if live.started is None else time_text(live.started),
        heard=time_text(live.heard),
    )
    if progress is None:
        return shape
    return msgspec.structs.replace(
        shape,
        assets=progress.assets,
        nodes=progress.nodes,
        bytes=progress.bytes_read,
        total=progress.total,
        fraction=progress.fraction,
        seconds_left=progress.seconds_left,
        current=[sendable(name) for name in progress.current],
        waiting=[sendable(reason) for reason in progress.waiting],
    )
