"""The frames of the bus as others read them. `seq` stands in what Loom sends, not in what workers publish.

Times are ISO 8601 in UTC with milliseconds. Fields that a later version adds are passed over.
"""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from loom.bus.encoding import MAX_TEXT
from loom.duplicates import DuplicateKind
from loom.model import ActionKind, AssetCounts, Branch, NodeCounts, Origin, Reason, State
from loom.shapes import PauseShape

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Count = Annotated[int, Meta(ge=0)]
NodeStatus = Literal["STARTED", "COMPLETED", "SKIPPED", "FAILED"]
AssetStatus = Literal["COMPLETED", "FAILED", "SKIPPED"]
RunStatus = Literal["QUEUED", "STARTED", "PAUSED", "RESUMED", "COMPLETED", "PARTIAL", "FAILED", "CANCELLED"]


class ErrorFrame(msgspec.Struct, frozen=True):
    """Why a node FAILED."""

    code: Name
    message: Text


class NodeOutcome(msgspec.Struct, frozen=True):
    """One node in an `asset` event."""

    state: State
    reason: Reason | None = None
    origin: Origin | None = None


class Numbered(msgspec.Struct, frozen=True, kw_only=True):
    """What every event has."""

    time: Annotated[str, Meta(max_length=40)]
    run: UUID
    pipeline: Name
    dry_run: bool = False
    seq: Count | UnsetType = UNSET


class NodeFrame(Numbered, frozen=True, kw_only=True, tag_field="type", tag="node"):
    """A status of one node for one asset. `attempts` is there when there was more than one,
    `handled` when an `ERROR` edge leads on from the error."""

    node: Name
    asset: UUID
    status: NodeStatus
    origin: Origin | None = None
    verdict: Branch | None = None
    duration_ms: Annotated[float, Meta(ge=0, le=1e15)] | None = None
    reason: Reason | None = None
    error: ErrorFrame | None = None
    attempts: Annotated[int, Meta(ge=1, le=1_000_000)] | UnsetType = UNSET
    handled: bool = False


class AssetFrame(Numbered, frozen=True, kw_only=True, tag_field="type", tag="asset"):
    """One asset walked, with what became of every node."""

    asset: UUID
    status: AssetStatus
    nodes: dict[Name, NodeOutcome] = {}


class RunFrame(Numbered, frozen=True, kw_only=True, tag_field="type", tag="run"):
    """A run was asked for, began, stands still, goes on or ended. `paused` says who lets it stand still now."""

    status: RunStatus
    assets: AssetCounts | None = None
    paused: Annotated[list[PauseShape], Meta(max_length=100)] = []


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What every event has that may belong to no run."""

    seq: Count
    time: str
    run: UUID | None = None
    pipeline: str | None = None


class DuplicateFrame(Outside, frozen=True, kw_only=True, tag_field="type", tag="duplicate"):
    """A group of duplicates was made, has other members, or was decided on; `GONE`: it became part of another."""

    duplicate: UUID
    kind: DuplicateKind | None
    status: Literal["PENDING", "CONFIRMED", "REJECTED", "GONE"]


class ActionFrame(Outside, frozen=True, kw_only=True, tag_field="type", tag="action"):
    """Something was done to a file, by a run or for a group of duplicates, or was taken back."""

    action: UUID
    kind: ActionKind
    asset: UUID
    duplicate: UUID | None
    status: Literal["DONE", "UNDONE"]


class ProgressFrame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="progress"):
    """Counts of a run while it goes on; not numbered, at most four a second. `fraction` of what needs work is done; it
    never moves back. `seconds_left` is weighed by what files of each kind take. `current` are the files in hand,
    `waiting` says what others wait for."""

    run: UUID
    pipeline: Name
    dry_run: bool = False
    assets: AssetCounts
    nodes: dict[Name, NodeCounts] = {}
    bytes: Count = 0
    total: Count | None = None
    fraction: Annotated[float, Meta(ge=0, le=1)] | None = None
    seconds_left: Annotated[float, Meta(ge=0, le=1e12)] | None = None
    current: Annotated[list[Text], Meta(max_length=MAX_TEXT)] = []
    waiting: Annotated[list[Text], Meta(max_length=100)] = []


class HelloFrame(msgspec.Struct, frozen=True, tag_field="type", tag="hello"):
    """The first frame: the number of the newest event."""

    seq: int


class GapFrame(msgspec.Struct, frozen=True, tag_field="type", tag="gap", rename={"first": "from", "last": "to"}):
    """Events that can no longer be had, `from` and `to` included."""

    first: int
    last: int


class AckFrame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="ack"):
    """The answer to `publish`: the number of the last event of it. `id` is that of the message answered."""

    seq: int
    id: int | None = None


class RefusalFrame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="error"):
    """The answer to a message that was refused; nothing of it was published."""

    code: str
    message: str
    retryable: bool = False
    id: int | None = None


class PublishFrame(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="publish"):
    """What a worker sends. With `publisher` and a growing `id`, a message that is sent again because its answer was
    lost is published once."""

    events: list[NodeFrame | AssetFrame | RunFrame | ProgressFrame]
    publisher: UUID | None = None
    id: Count | None = None


EventFrame = NodeFrame | AssetFrame | RunFrame
Frame = EventFrame | DuplicateFrame | ActionFrame | ProgressFrame | HelloFrame | GapFrame
Answer = AckFrame | RefusalFrame
