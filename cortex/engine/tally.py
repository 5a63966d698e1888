"""What a run counts while it goes on."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cortex.engine.lifecycle import has_failed
from cortex.engine.records import Computed, Lane
from loom.events import NodeEnd, RunHead
from loom.model import AssetCounts, Branch, NodeCounts, Origin, Outcome, Reason, RunState, State
from loom.spending import METERED, Spent, spent_on, together

Digest = bytes

KEPT_ENDS = 10_000
"""Of how many assets a run remembers how they ended, for copies that come later: some 2 MB."""

KEPT_FAILURES = 20_000
"""Of how many assets on which a node failed it remembers that much, for copies that come later: some 3 MB."""


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
    spent: Spent | None = None
    opened: bool = False
    handled: frozenset[int] = field(init=False)
    """The steps whose failures an `ERROR` edge handles."""

    def __post_init__(self) -> None:
        steps = self.lane.plan.steps
        self.nodes = {step.node: NodeCounts() for step in steps}
        self.handled = frozenset(e.upstream for step in steps for e in step.inbound if e.branch is Branch.ERROR)
        self._metered = {step.index for step in steps if step.operator in METERED}
        self._ends: OrderedDict[bytes, tuple[NodeEnd, ...]] = OrderedDict()
        self._same: dict[tuple[NodeEnd, ...], tuple[NodeEnd, ...]] = {}
        self._failures: OrderedDict[bytes, bool] = OrderedDict()

    @property
    def head(self) -> RunHead:
        return RunHead(self.uuid, self.lane.plan.pipeline, self.lane.plan.dry_run)

    def keep_end(self, asset: bytes, nodes: tuple[NodeEnd, ...]) -> None:
        """Remembers how an asset's nodes ended, for copies of it that come later."""
        self._ends[asset] = self._same.setdefault(nodes, nodes)
        if len(self._ends) > KEPT_ENDS:
            self._ends.popitem(last=False)

    def end_of(self, asset: bytes) -> tuple[NodeEnd, ...]:
        """How the nodes of an asset ended, if that was among the last `KEPT_ENDS`."""
        return self._ends.get(asset, ())

    def keep_failure(self, asset: bytes, *, now: bool) -> None:
        """Remembers that some node failed on an asset, `now` or in an earlier run."""
        self._failures[asset] = now
        if len(self._failures) > KEPT_FAILURES:
            self._failures.popitem(last=False)

    def failed_now(self, asset: bytes) -> bool | None:
        """Whether some node failed on the asset in this run (true) or had before (false), if it was among the last
        `KEPT_FAILURES` of these; else None."""
        return self._failures.get(asset)

    def count_file(self, *, known: bool, known_place: bool) -> None:
        """Counts a file whose content is `known` or not, and its path."""
        self.assets.seen += 1
        self.assets.new += not known
        self.assets.moved += known and not known_place

    def count_end(self, failed_now: bool | None) -> None:
        """Counts how a file ended, under one of three; `failed_now` is what the method of this name tells."""
        self.assets.failed += failed_now is True
        self.assets.failed_before += failed_now is False
        self.assets.completed += failed_now is None

    def count(self, outcomes: Iterable[Outcome | None], computed: Iterable[Computed] = ()) -> tuple[int, int]:
        """Counts one asset's outcomes under its nodes, and what computing them has cost; returns how many nodes failed
        now and how many had before."""
        if self._metered:
            made = [one.outputs for one in computed if one.step in self._metered and one.attempts]
            self.spent = together(self.spent, spent_on(made))
        now = before = 0
        for counts, outcome in zip(self.nodes.values(), outcomes, strict=True):
            if outcome is None:
                continue
            if outcome.state is State.COMPLETED:
                counts.computed += 1
                continue
            _count_skip(counts, outcome)
            if has_failed(outcome):
                if outcome.state is State.FAILED:
                    now += 1
                else:
                    before += 1
        return now, before


def _count_skip(counts: NodeCounts, outcome: Outcome) -> None:
    """Counts what was not computed to its end."""
    if outcome.state is State.FAILED:
        counts.failed += 1
    elif outcome.reason is not Reason.STORED:
        counts.skipped += 1
    elif outcome.origin is Origin.REMOTE:
        counts.remote += 1
    else:
        counts.cached += 1


@dataclass
class WouldWrite:
    """What a dry run would have written; `effects` is bounded, `more_effects` counts the rest. `seen` are the digests
    of the derived files, each of which is written once."""

    results: int = 0
    locations: int = 0
    artifacts: int = 0
    bytes: int = 0
    effects: list[str] = field(default_factory=list)
    more_effects: int = 0
    seen: set[Digest] = field(default_factory=set, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def effect(self, description: str) -> None:
        with self.lock:
            if len(self.effects) < MAX_EFFECTS:
                self.effects.append(description)
            else:
                self.more_effects += 1


MAX_EFFECTS = 1000


def end_state(assets: AssetCounts, *, cancelled: bool, broken: bool, unreachable: bool = False) -> RunState:
    """How a run over such files ended. `unreachable`: a source was; where there was no other, nothing could be done."""
    if cancelled:
        return RunState.CANCELLED
    if broken or (unreachable and not assets.seen):
        return RunState.FAILED
    return RunState.PARTIAL if unreachable or assets.failed or assets.unreadable else RunState.COMPLETED


def add_counts(into: AssetCounts, other: AssetCounts) -> None:
    for name in AssetCounts.__struct_fields__:
        setattr(into, name, getattr(into, name) + getattr(other, name))
