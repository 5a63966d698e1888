"""What a run counts while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cortex.engine.lifecycle import has_failed
from cortex.engine.records import Lane
from loom.model import AssetCounts, NodeCounts, Origin, Outcome, Reason, RunHead, RunState, State


@dataclass
class LaneRun:
    """The run of one lane: its counts, and whether Loom was told of it."""

    lane: Lane
    uuid: UUID
    version: int
    definition: Mapping[str, Any]
    nodes: dict[str, NodeCounts] = field(init=False)
    assets: AssetCounts = field(default_factory=AssetCounts)
    bytes_read: int = 0
    opened: bool = False

    def __post_init__(self) -> None:
        self.nodes = {step.node: NodeCounts() for step in self.lane.plan.steps}

    @property
    def head(self) -> RunHead:
        return RunHead(self.uuid, self.lane.plan.pipeline, self.lane.plan.dry_run)

    def count(self, outcomes: Iterable[Outcome | None]) -> tuple[int, int]:
        """Counts one asset's outcomes under its nodes; returns how many nodes failed now and how many had before."""
        now = before = 0
        for step, outcome in zip(self.lane.plan.steps, outcomes, strict=True):
            if outcome is None:
                continue
            _count_node(self.nodes[step.node], outcome)
            if has_failed(outcome):
                if outcome.state is State.FAILED:
                    now += 1
                else:
                    before += 1
        return now, before

    def state(self, *, cancelled: bool, broken: bool) -> RunState:
        """How the run ended."""
        if cancelled:
            return RunState.CANCELLED
        if broken:
            return RunState.FAILED
        return RunState.PARTIAL if self.assets.failed or self.assets.unreadable else RunState.COMPLETED


def _count_node(counts: NodeCounts, outcome: Outcome) -> None:
    if outcome.state is State.FAILED:
        counts.failed += 1
    elif outcome.state is State.COMPLETED:
        counts.computed += 1
    elif outcome.reason is not Reason.STORED:
        counts.skipped += 1
    elif outcome.origin is Origin.REMOTE:
        counts.remote += 1
    else:
        counts.cached += 1


@dataclass
class WouldWrite:
    """What a dry run would have written; `effects` is bounded, `more_effects` counts the rest."""

    results: int = 0
    locations: int = 0
    artifacts: int = 0
    bytes: int = 0
    effects: list[str] = field(default_factory=list)
    more_effects: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def effect(self, description: str) -> None:
        with self.lock:
            if len(self.effects) < MAX_EFFECTS:
                self.effects.append(description)
            else:
                self.more_effects += 1


MAX_EFFECTS = 1000


def add_counts(into: AssetCounts, other: AssetCounts) -> None:
    for name in AssetCounts.__struct_fields__:
        setattr(into, name, getattr(into, name) + getattr(other, name))
