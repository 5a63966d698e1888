"""What workers publish, checked and turned back into events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from loom.bus.frames import AssetFrame, EventFrame, NodeFrame, ProgressFrame, PublishFrame
from loom.errors import LoomError
from loom.events import AssetEvent, Event, NodeEvent, Progress, RunEvent, RunHead
from loom.model import Depth, Pause
from loom.shapes import PauseShape

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_decode = msgspec.json.Decoder(PublishFrame).decode


class Published(NamedTuple):
    """Events of one run that follow each other."""

    run: RunHead
    events: list[Event]


def read_publish(text: bytes | str) -> PublishFrame:
    """Raises `REQUEST_INVALID`."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise LoomError("REQUEST_INVALID", f"Not a message that can be published: {error}") from None
    except RecursionError:
        raise LoomError("REQUEST_INVALID", "Not a message that can be published: nested too deeply") from None


def batches_of(message: PublishFrame) -> list[Published]:
    """The numbered events, in order, in pieces of one run each. Raises `REQUEST_INVALID`."""
    batches: list[Published] = []
    for frame in message.events:
        if isinstance(frame, ProgressFrame):
            continue
        if not isinstance(frame.seq, UnsetType):
            raise LoomError("REQUEST_INVALID", "The number of an event is Loom's to give: leave `seq` out.")
        run = RunHead(frame.run, frame.pipeline, frame.dry_run)
        if not batches or batches[-1].run != run:
            batches.append(Published(run, []))
        batches[-1].events.append(event_of(frame))
    return batches


def progress_of(message: PublishFrame) -> Iterator[tuple[RunHead, Progress]]:
    for frame in message.events:
        if isinstance(frame, ProgressFrame):
            yield (
                RunHead(frame.run, frame.pipeline, frame.dry_run),
                Progress(
                    assets=frame.assets,
                    nodes=dict(frame.nodes),
                    bytes_read=frame.bytes,
                    total=frame.total,
                    current=tuple(frame.current),
                    fraction=frame.fraction,
                    seconds_left=frame.seconds_left,
                    waiting=tuple(frame.waiting),
                ),
            )


def event_of(frame: EventFrame) -> Event:
    """The event of a frame. Of the asset only the 16 bytes of its UUID are known. Raises `REQUEST_INVALID`."""
    time = _microseconds(frame.time)
    if isinstance(frame, NodeFrame):
        return NodeEvent(
            time=time,
            node=frame.node,
            asset=_asset(frame.asset),
            status=frame.status,
            origin=frame.origin,
            verdict=frame.verdict,
            duration_us=None if frame.duration_ms is None else round(frame.duration_ms * 1000),
            reason=frame.reason,
            error=None if frame.error is None else (frame.error.code, frame.error.message),
            attempts=1 if frame.attempts is UNSET else frame.attempts,
            handled=frame.handled,
        )
    if isinstance(frame, AssetFrame):
        nodes = tuple((node, one.state, one.reason, one.origin) for node, one in frame.nodes.items())
        return AssetEvent(time, _asset(frame.asset), frame.status, nodes)
    return RunEvent(time, frame.status, frame.assets, tuple(_pause(pause) for pause in frame.paused))


def _asset(uuid: UUID) -> bytes:
    """What is known of its hash. Another UUID than one that is made from a hash would be told as a different one."""
    if uuid.version != 8:
        raise LoomError(
            "REQUEST_INVALID", f"{uuid} is not the UUID of an asset: these are made from its hash (UUIDv8)."
        )
    return uuid.bytes


def _pause(told: PauseShape) -> Pause:
    return Pause(owner=told.owner, reason=told.reason, depth=Depth[told.depth.upper()], since=_microseconds(told.since))


def _microseconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        pass
    raise LoomError("REQUEST_INVALID", "The time of an event is not ISO 8601 with a time zone.")
