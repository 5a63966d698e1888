"""What happens in a run, on its way to the bus."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import msgspec

from loom.model import AssetCounts, Branch, NodeCounts, Origin, Pause, Reason, State


class NodeEvent(msgspec.Struct, frozen=True, gc=False):
    """A status of one node for one asset, on its way to the bus. `handled`: an `ERROR` edge leads on from its error."""

    time: int
    node: str
    asset: bytes
    status: str
    origin: Origin | None = None
    verdict: Branch | None = None
    duration_us: int | None = None
    reason: Reason | None = None
    error: tuple[str, str] | None = None
    attempts: int = 1
    handled: bool = False


NodeEnd = tuple[str, State, Reason | None, Origin | None]
"""A node, and how it ended for one asset."""


class AssetEvent(NamedTuple):
    """One asset walked: its final status and every node's state and origin."""

    time: int
    asset: bytes
    status: str
    nodes: tuple[NodeEnd, ...]


class RunEvent(NamedTuple):
    """`paused`: who lets the run stand still from now on."""

    time: int
    status: str
    assets: AssetCounts | None = None
    paused: tuple[Pause, ...] = ()


class DuplicateEvent(NamedTuple):
    """A group of duplicates was made, grew, or was decided on: its state is the status. `GONE`: it became part of
    another."""

    time: int
    duplicate: UUID
    kind: str | None
    status: str


class ActionEvent(NamedTuple):
    """Something was done to a file (`DONE`), or was taken back (`UNDONE`); `duplicate` is the group for which."""

    time: int
    action: UUID
    kind: str
    asset: bytes
    duplicate: UUID | None
    status: str


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of a run while it goes on; not numbered. `fraction` of what needs work is done; both this and
    `seconds_left` are those of all that its worker does at once, None while nobody can tell. `waiting`: why files
    do not get on that no worker has in hand."""

    assets: AssetCounts
    nodes: dict[str, NodeCounts]
    bytes_read: int = 0
    total: int | None = None
    current: tuple[str, ...] = ()
    fraction: float | None = None
    seconds_left: float | None = None
    waiting: tuple[str, ...] = ()


class RunHead(msgspec.Struct, frozen=True, cache_hash=True):
    """The run that a batch of events belongs to."""

    uuid: UUID
    pipeline: str
    dry_run: bool


NO_RUN = RunHead(UUID(int=0), "", False)
"""Stands where something was done outside of any run."""

Event = NodeEvent | AssetEvent | RunEvent | DuplicateEvent | ActionEvent
