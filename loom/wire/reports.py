"""What workers report of the assets of a run: results, outcomes, and what was done to files."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from loom.model import Action, ActionKind
from loom.wire.shapes import AssetWire, Count, Hex, Name, OutcomeWire, Size, StoredWire
from loom.wire.values import digest_of, microseconds_of, moment_of


class ActionWire(msgspec.Struct, frozen=True, kw_only=True):
    """A file was moved or copied from `origin` to `target`, or the target was written for its sake; `digest` and `size`
    are of the bytes at the target. Saying it twice does nothing more."""

    uuid: UUID
    kind: ActionKind
    asset: Hex
    origin_b64: bytes
    target_b64: bytes
    digest: Hex
    size: Size
    began: datetime


class ReportWire(AssetWire, frozen=True, kw_only=True):
    """An asset, its new results, and one outcome for each node of the plan in its order (None when only the location
    is new). `settled`: nothing is left to do for it under this plan, or under the digest `settles` when it is given."""

    results: list[StoredWire] = msgspec.field(default_factory=list)
    outcomes: list[OutcomeWire] | None = None
    failed: Count = 0
    settled: bool = False
    settles: Hex | None = None
    actions: list[ActionWire] = msgspec.field(default_factory=list)


class AheadWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run is about to do to files, and the UUIDs of what it was about to do and is not going to do any more."""

    items: Annotated[list[ActionWire], Meta(max_length=10_000)] = msgspec.field(default_factory=list)
    dropped: Annotated[list[UUID], Meta(max_length=10_000)] = msgspec.field(default_factory=list)
    worker: Name | None = None


class ReportsWire(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction; the run must be open. `worker` is who reports, which is needed for a run that was claimed."""

    run: UUID
    items: list[ReportWire]
    worker: Name | None = None


def action_to_wire(action: Action) -> ActionWire:
    return ActionWire(
        uuid=action.uuid,
        kind=action.kind,
        asset=action.asset.hex(),
        origin_b64=action.origin,
        target_b64=action.target,
        digest=action.digest.hex(),
        size=action.size,
        began=moment_of(action.began),
    )


def action_of_wire(wire: ActionWire) -> Action:
    """Raises `REQUEST_INVALID`."""
    asset, digest = digest_of(wire.asset), digest_of(wire.digest)
    began = microseconds_of(wire.began)
    return Action(wire.uuid, wire.kind, asset, wire.origin_b64, wire.target_b64, digest, wire.size, began)
