"""Steps that run beside the sandbox, in the parent: those with effects, or that need the network or the database.
They get what is known of the file, never its bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from cortex.catalogue import EntryPointCatalogue
from cortex.engine.course import Course, compute, failed
from cortex.engine.entry import Entry
from cortex.engine.failures import as_failure
from cortex.engine.records import Identity, Lane, Walked
from cortex.engine.reporting import Finished
from cortex.engine.tally import LaneRun, WouldWrite
from cortex.engine.walk import look
from cortex.node import MediaNode, NodeContext
from loom.errors import LoomError
from loom.graph.plan import Step
from loom.model import Kind, Outcome, asset_uuid


class AssetFacts(NamedTuple):
    """Stands for `Media` where the bytes are out of reach."""

    path: str
    size: int
    mime: str
    kind: Kind
    asset: AssetName


class AssetName(NamedTuple):
    blake3: bytes

    @property
    def uuid(self) -> Any:
        return asset_uuid(self.blake3)


class Beside:
    """Carries assets on through the steps that do not run in the sandbox."""

    def __init__(
        self, lanes: tuple[Lane, ...], operators: EntryPointCatalogue, *, has_loom: bool, would_write: WouldWrite
    ) -> None:
        self._operators = operators
        self._has_loom = has_loom
        self._would_write = would_write
        self._nodes = [
            {s.index: operators.create(s.operator, s.config, s.node) for s in lane.plan.steps if not s.sandboxed}
            for lane in lanes
        ]
        self._after_storing = [
            {index for index, node in nodes.items() if "database" in node.capabilities} for nodes in self._nodes
        ]
        self._slow = [
            {index for index, node in nodes.items() if "network" in node.capabilities} for nodes in self._nodes
        ]

    def open(self) -> None:
        """Raises the `LoomError` with which a node cannot get ready."""
        for nodes in self._nodes:
            for node in nodes.values():
                try:
                    node.open()
                except Exception as error:
                    raise LoomError(*as_failure(error)) from error

    def close(self) -> None:
        for nodes in self._nodes:
            for node in nodes.values():
                node.close()

    def needs_storing_first(self, lane: int, step: int) -> bool:
        """Whether all that stands before the step must be stored in Loom before it runs."""
        return step in self._after_storing[lane]

    def is_slow(self, lane: int, step: int) -> bool:
        """Whether the step waits for the network, so that it must not hold up others."""
        return step in self._slow[lane]

    def carry_on(self, entry: Entry, run: LaneRun, walked: Walked) -> Finished:
        """Takes the next step and those after it, until one that belongs elsewhere: to the sandbox, after storing, or
        to a thread that may wait (`done` is false then)."""
        identity = entry.identity
        if identity is None:
            raise ValueError("an asset without identity cannot go on")
        course = Course.resumed(run.lane.plan, walked)
        facts = AssetFacts(
            os.fsdecode(entry.path), identity.size, identity.mime, identity.kind, AssetName(identity.asset)
        )
        first = walked.next_step

        def work(step: Step, course: Course) -> Outcome | None:
            if step.index != first and self._belongs_elsewhere(identity.lane, step.index):
                return None
            return self._step(entry, run, identity, facts, step, course)

        course.advance(facts, entry.found.relative, work, sandboxed=False)
        after = walked._replace(
            outcomes=tuple(course.outcomes), computed=tuple(course.computed), next_step=course.next_step
        )
        return Finished(entry, run, after, course.done)

    def _belongs_elsewhere(self, lane: int, step: int) -> bool:
        return self.needs_storing_first(lane, step) or self.is_slow(lane, step)

    def _step(
        self, entry: Entry, run: LaneRun, identity: Identity, facts: AssetFacts, step: Step, course: Course
    ) -> Outcome:
        node = self._nodes[identity.lane][step.index]
        if "database" in node.capabilities and not self._has_loom:
            error = LoomError("LOOM_UNREACHABLE", "this node stores in Loom, and there is none")
            return course.add(failed(step, *as_failure(error), time.time_ns() // 1000), None)
        context = partial(
            NodeContext,
            step.node,
            course.upstream(step),
            dry_run=run.lane.plan.dry_run,
            perform=partial(self._perform, node, run.lane.plan.dry_run),
            collect=partial(self._collect, entry),
        )
        try:
            skipped = look(node, step, course, context, facts)
        except Exception as error:
            return course.add(failed(step, *as_failure(error), time.time_ns() // 1000), None)
        return skipped or course.add(*compute(node, step, facts, context))

    def _collect(self, entry: Entry, collection: str) -> None:
        if not self._has_loom:
            raise LoomError("LOOM_UNREACHABLE", "collections are kept by Loom, and there is none")
        entry.collections.append(collection)

    def _perform(self, node: MediaNode[Any], dry_run: bool, description: str, do: Callable[[], object]) -> None:
        if "effect" not in node.capabilities and "database" not in node.capabilities:
            raise LoomError("OPERATOR_FAILED", f"{description}: the operator does not declare the capability `effect`")
        if dry_run:
            self._would_write.effect(description)
            return
        try:
            do()
        except LoomError:
            raise
        except Exception as error:
            raise LoomError("EFFECT_FAILED", f"{description}: {as_failure(error)[1]}") from error
