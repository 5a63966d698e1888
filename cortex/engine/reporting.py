"""From walked assets to what is stored and told: reports, derived files, counts and events, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from blake3 import blake3

from cortex.engine import lifecycle
from cortex.engine.entry import Entry
from cortex.engine.records import Computed, Identity, Walked
from cortex.engine.tally import LaneRun, WouldWrite
from cortex.engine.walk import RACY_NS
from loom.events import AssetEvent, Event, NodeEnd, NodeEvent
from loom.graph.plan import Plan
from loom.model import ArtifactRef, AssetReport, FileStat, FoundAt, Outcome, Reason, State, StoredResult
from loom.packing import pack_outcomes
from loom.verbs import NewArtifact, Parts


class Finished(NamedTuple):
    """An asset that was walked to its end, or (not `done`) as far as must be stored before it goes on. `wait_s`: its
    next step is to be tried (again) only after so many seconds; `turn`: when its turn has come by these names."""

    entry: Entry
    run: LaneRun
    walked: Walked
    done: bool
    wait_s: float = 0.0
    turn: tuple[str, ...] = ()


class Copy(NamedTuple):
    """A file whose content this run has walked already."""

    entry: Entry


class Unmatched(NamedTuple):
    """A file that no pipeline is for."""

    entry: Entry


Told = Finished | Copy | Unmatched


@dataclass
class Batch:
    """What one transaction stores for one run."""

    run: LaneRun
    reports: list[AssetReport] = field(default_factory=list)
    artifacts: dict[bytes, NewArtifact] = field(default_factory=dict)
    done: list[Finished] = field(default_factory=list)
    places: int = 0
    events: list[Event] = field(default_factory=list)

    def add(self, finished: Finished) -> None:
        """Adds one asset: what it computed since it was last stored."""
        entry, _, walked, done, *_ = finished
        if done:
            self.done.append(finished)
            self.places += 1
        identity = identified(entry)
        plan, fresh = self.run.lane.plan, walked.computed[entry.kept :]
        results = [self._result(plan, computed) for computed in fresh if not _may_be_another(computed)]
        results.extend(entry.uploads)
        retryable = any(c.retryable for c in walked.computed)
        outcomes = [o for o in walked.outcomes if o is not None]
        self.reports.append(
            AssetReport(
                identity.asset,
                identity.size,
                identity.mime,
                identity.kind,
                (place(entry, walked.stat, walked.trusted),),
                tuple(results),
                pack_outcomes(outcomes) if done and outcomes else None,
                sum(map(lifecycle.has_failed, outcomes)) if done else 0,
                done and lifecycle.is_settled(walked.outcomes, retryable),
                tuple(entry.collections),
                actions=tuple(entry.actions),
            )
        )

    def _result(self, plan: Plan, computed: Computed) -> StoredResult:
        refs = []
        for made in computed.artifacts:
            digest = blake3(made.data).digest()
            self.artifacts[digest] = NewArtifact(digest, made.media_type, made.data)
            refs.append(ArtifactRef(made.name, digest, made.media_type, len(made.data)))
        for spilled in computed.spilled:
            parts = Parts(spilled.file, spilled.extents)
            digest = parts.digest()
            self.artifacts[digest] = NewArtifact(digest, spilled.media_type, b"", parts)
            refs.append(ArtifactRef(spilled.name, digest, spilled.media_type, parts.size))
        return StoredResult(
            plan.steps[computed.step].signature,
            State.COMPLETED if computed.error_code is None else State.FAILED,
            computed.verdict,
            computed.outputs,
            tuple(refs),
            computed.error_code,
            computed.error_message,
            computed.duration_us,
        )

    def would_write(self, into: WouldWrite) -> None:
        """Counts the batch instead of storing it."""
        into.results += sum(len(report.results) for report in self.reports)
        into.locations += self.places
        fresh = [artifact for digest, artifact in self.artifacts.items() if digest not in into.seen]
        into.seen.update(artifact.digest for artifact in fresh)
        into.artifacts += len(fresh)
        into.bytes += sum(artifact.size for artifact in fresh)
        into.bytes += sum(len(result.outputs) for report in self.reports for result in report.results)

    def add_place(self, entry: Entry, *, settled: bool = False) -> None:
        """Adds only that the content lies here too."""
        identity = identified(entry)
        self.places += 1
        trusted = entry.since - entry.found.stat.mtime_ns >= RACY_NS
        self.reports.append(
            AssetReport(
                identity.asset, identity.size, identity.mime, identity.kind, (place(entry, None, trusted),),
                settled=settled,
            )
        )  # fmt: skip

    def add_events(self, now: int) -> None:
        """Adds the events of the assets that are done."""
        for finished in self.done:
            finished.entry.told = True
            self.events.extend(events_of(finished, now))


def _may_be_another(computed: Computed) -> bool:
    """Whether the next run may find something else in spite of the same signature. A failure is kept even then, to
    show its cause."""
    return computed.retryable and computed.error_code is None


def identified(entry: Entry) -> Identity:
    """The identity of a file that was read; only such files are ever stored."""
    if entry.identity is None:
        raise ValueError("an asset without identity cannot be stored")
    return entry.identity


def note_places(entries: Sequence[Entry], known_places: Callable[[Sequence[tuple[bytes, bytes]]], list[bool]]) -> None:
    """Before they are stored for the first time: at which of their paths Loom remembers a file. Those of known content
    at a path that was new when they were found are asked for: another ingest may have stored them there since."""
    fresh = [entry for entry in entries if entry.is_known_place is None]
    for entry in fresh:
        entry.is_known_place = entry.found.known
    moved = [entry for entry in fresh if entry.known and not entry.found.known]
    if moved:
        places = known_places([(entry.found.directory, entry.found.name) for entry in moved])
        for entry, is_known in zip(moved, places, strict=True):
            entry.is_known_place = is_known


def place(entry: Entry, stat: FileStat | None, trusted: bool) -> FoundAt:
    found = entry.found
    if found.local is not None:
        return FoundAt(found.directory, found.name, found.stat, found.local.trusted)
    return FoundAt(found.directory, found.name, stat or found.stat, trusted)


def events_of(finished: Finished, now: int) -> list[Event]:
    """The events of one asset's walk, in the order of the plan; `now` stands for the time of what took none."""
    entry, run, walked, *_ = finished
    asset = identified(entry).asset
    computed = {c.step: c for c in walked.computed}
    stored = {step: result for step, result, _ in walked.stored if result.error_code is not None}
    events: list[Event] = []
    nodes: list[NodeEnd] = []
    handling = run.handled
    for step, outcome in zip(run.lane.plan.steps, walked.outcomes, strict=True):
        if outcome is None:
            continue
        nodes.append((step.node, outcome.state, outcome.reason, outcome.origin))
        work = computed.get(step.index)
        handled = step.index in handling
        if work is None or not work.attempts:
            events.append(_skipped(step.node, asset, outcome, now, stored.get(step.index), handled))
            continue
        if step.index not in entry.announced:
            events.append(NodeEvent(work.started, step.node, asset, "STARTED"))
        events.append(_ended(step.node, asset, outcome, work, handled))
    status = "FAILED" if any(o is not None and o.state is State.FAILED for o in walked.outcomes) else "COMPLETED"
    ends = tuple(nodes)
    run.keep_end(asset, ends)
    events.append(AssetEvent(now, asset, status, ends))
    return events


def _skipped(
    node: str, asset: bytes, outcome: Outcome, now: int, failure: StoredResult | None, handled: bool
) -> NodeEvent:
    """`failure`: the step has a stored one, which counts if it was reached. `handled`: an `ERROR` edge leads on."""
    if failure is None or outcome.reason is not Reason.STORED:
        return NodeEvent(now, node, asset, "SKIPPED", outcome.origin, outcome.verdict, None, outcome.reason)
    error = (failure.error_code or "INTERNAL", failure.error_message or "")
    return NodeEvent(now, node, asset, "SKIPPED", outcome.origin, None, None, outcome.reason, error, handled=handled)


def _ended(node: str, asset: bytes, outcome: Outcome, work: Computed, handled: bool) -> NodeEvent:
    error = None if work.error_code is None else (work.error_code, work.error_message or "")
    return NodeEvent(
        work.started + work.duration_us,
        node,
        asset,
        outcome.state,
        outcome.origin,
        outcome.verdict,
        work.duration_us,
        None,
        error,
        work.attempts,
        handled and error is not None,
    )


def copy_event(entry: Entry, run: LaneRun, now: int) -> AssetEvent:
    """A second copy of content that this run walked elsewhere, with how its nodes ended there."""
    asset = identified(entry).asset
    return AssetEvent(now, asset, "SKIPPED", run.end_of(asset))
