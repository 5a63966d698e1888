"""Runs asked for, pauses and orders: as people and workers say them over HTTP."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid4

import msgspec
from msgspec import Meta

from loom.model import Depth, Pause
from loom.steering import AssetQuery, RunOrders, RunRequest
from loom.wire.shapes import FaultWire, Name
from loom.wire.values import microseconds_of, moment_of

Text = Annotated[str, Meta(max_length=4096)]
Owner = Annotated[str, Meta(min_length=1, max_length=255)]
DepthWord = Annotated[str, Meta(pattern="^(new|node|now)$", description="new, node or now")]


class RunWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run over files and folders, globs, assets, or the assets that fit a filter. `version` 0 is the current one;
    `paths_b64` are further paths, of any bytes; `recompute` names nodes, or has `*`; the same `uuid` said twice is one
    run; with `host` only its workers execute it. `source` names one whose folder it goes over, with its options, and
    nothing else."""

    paths: list[Text] = []
    paths_b64: list[bytes] = []
    globs: list[Text] = []
    assets: list[UUID] = []
    filter: AssetQuery | None = None
    dry_run: bool = False
    recompute: list[Name] = []
    host: Name | None = None
    source: Name | None = None
    version: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    uuid: UUID | None = None


class PauseWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`depth` is `new` (no new assets), `node` (after the node that is at work) or `now`."""

    depth: DepthWord = "new"
    owner: Owner = "user"
    reason: Text = ""


class ResumeWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose pause is lifted."""

    owner: Owner = "user"


class ClaimWire(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks for work. `worker` is a name that no other process has."""

    worker: Name
    host: Name


class RequestWire(msgspec.Struct, frozen=True, kw_only=True):
    """A run as a worker is given it. `walked`: another worker had begun it. `source`: its path is that of the source,
    whose options hold."""

    uuid: UUID
    pipeline: str
    version: int
    queued: datetime
    paths_b64: list[bytes] = []
    globs: list[str] = []
    assets: list[UUID] = []
    filter: AssetQuery | None = None
    host: str | None = None
    dry_run: bool = False
    recompute: list[str] = []
    walked: bool = False
    source: str | None = None


class OrdersQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """The runs that a worker has in hand."""

    worker: Name
    runs: Annotated[list[UUID], Meta(max_length=1000)]


class PauseWire(msgspec.Struct, frozen=True, kw_only=True):
    owner: str
    reason: str
    depth: DepthWord
    since: datetime


class OrdersWire(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to do. `lost`: it was given to another worker. `limits`: how many files an operator or a resource
    may have in hand at a time."""

    run: UUID
    cancelled: bool = False
    lost: bool = False
    pauses: list[PauseWire] = []
    limits: dict[str, int] = {}


class OrdersGiven(msgspec.Struct, frozen=True):
    """In the order asked."""

    items: list[OrdersWire]


class ReleaseWire(msgspec.Struct, frozen=True, kw_only=True):
    """A worker gives a run back; with an `error` it could not be done at all."""

    worker: Name
    error: FaultWire | None = None


def request_of_wish(pipeline: str, wish: RunWish) -> RunRequest:
    return RunRequest(
        uuid=wish.uuid or uuid4(),
        pipeline=pipeline,
        version=wish.version,
        queued=0,
        paths=(*(os.fsencode(path) for path in wish.paths), *wish.paths_b64),
        globs=tuple(wish.globs),
        assets=tuple(wish.assets),
        query=wish.filter,
        host=wish.host,
        dry_run=wish.dry_run,
        recompute=frozenset(wish.recompute),
        source=wish.source,
    )


def wish_of_request(request: RunRequest) -> RunWish:
    return RunWish(
        paths_b64=list(request.paths),
        globs=list(request.globs),
        assets=list(request.assets),
        filter=request.query,
        dry_run=request.dry_run,
        recompute=sorted(request.recompute),
        host=request.host,
        source=request.source,
        version=request.version,
        uuid=request.uuid,
    )


def request_to_wire(request: RunRequest) -> RequestWire:
    return RequestWire(
        uuid=request.uuid,
        pipeline=request.pipeline,
        version=request.version,
        queued=moment_of(request.queued),
        paths_b64=list(request.paths),
        globs=list(request.globs),
        assets=list(request.assets),
        filter=request.query,
        host=request.host,
        dry_run=request.dry_run,
        recompute=sorted(request.recompute),
        walked=request.walked,
        source=request.source,
    )


def request_of_wire(wire: RequestWire) -> RunRequest:
    return RunRequest(
        uuid=wire.uuid,
        pipeline=wire.pipeline,
        version=wire.version,
        queued=microseconds_of(wire.queued),
        paths=tuple(wire.paths_b64),
        globs=tuple(wire.globs),
        assets=tuple(wire.assets),
        query=wire.filter,
        host=wire.host,
        dry_run=wire.dry_run,
        recompute=frozenset(wire.recompute),
        walked=wire.walked,
        source=wire.source,
    )


def pause_of_wish(wish: PauseWish, now: int) -> Pause:
    return Pause(owner=wish.owner, reason=wish.reason, depth=Depth[wish.depth.upper()], since=now)


def wish_of_pause(pause: Pause) -> PauseWish:
    return PauseWish(depth=pause.depth.word, owner=pause.owner, reason=pause.reason)


def orders_to_wire(orders: RunOrders) -> OrdersWire:
    return OrdersWire(
        run=orders.run,
        cancelled=orders.cancelled,
        lost=orders.lost,
        pauses=[
            PauseWire(owner=one.owner, reason=one.reason, depth=one.depth.word, since=moment_of(one.since))
            for one in orders.pauses
        ],
        limits=orders.limits,
    )


def orders_of_wire(wire: OrdersWire) -> RunOrders:
    return RunOrders(
        run=wire.run,
        cancelled=wire.cancelled,
        lost=wire.lost,
        pauses=tuple(
            Pause(owner=one.owner, reason=one.reason, depth=Depth[one.depth.upper()], since=microseconds_of(one.since))
            for one in wire.pauses
        ),
        limits=wire.limits,
    )
