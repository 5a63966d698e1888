"""What people decide of duplicates, and how actions begin and end, over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from loom.actions import ActionEnd
from loom.duplicates import Decision
from loom.wire.ledger import found_of_wire, found_to_wire
from loom.wire.reports import ActionWire
from loom.wire.shapes import FoundWire, Name
from loom.wire.values import sendable

Member = Annotated[str, Meta(min_length=1, max_length=64)]
Members = Annotated[list[Member], Meta(max_length=100_000)]


class SeenWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`seen`: the ids of all members, as they were when it was decided; left out: whichever there are."""

    seen: Members | None = None


class DecisionWire(SeenWire, frozen=True, kw_only=True):
    """`members` are the ids of those that are duplicates of each other (left out: all), `keeper` of the one that is
    kept (left out: the one that is suggested)."""

    keeper: Member | None = None
    members: Members | None = None

    def decision(self) -> Decision:
        members = None if self.members is None else tuple(self.members)
        return Decision(keeper=self.keeper, members=members, seen=None if self.seen is None else tuple(self.seen))


class NoWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """There is nothing to be said."""


class BeginningWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something is about to be done to files on a host, maybe for the sake of a group of duplicates."""

    host: Name
    action: ActionWire
    duplicate: UUID | None = None


class EndWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`found`: where the file that was moved lies now."""

    state: Literal["DONE", "UNDONE", "FAILED"]
    why: str | None = None
    found: FoundWire | None = None

    def end(self) -> ActionEnd:
        return ActionEnd(
            state=self.state, why=self.why, found=None if self.found is None else found_of_wire(self.found)
        )


def decision_to_wire(decision: Decision) -> DecisionWire:
    return DecisionWire(
        keeper=decision.keeper,
        members=None if decision.members is None else list(decision.members),
        seen=None if decision.seen is None else list(decision.seen),
    )


def end_to_wire(ending: ActionEnd) -> EndWire:
    return EndWire(
        state=ending.state,
        why=None if ending.why is None else sendable(ending.why),
        found=None if ending.found is None else found_to_wire(ending.found),
    )
