"""Steps that run beside the sandbox, in the parent: those with effects, or that need the network or the database.
They get what is known of the file, never its bytes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

from cortex.catalogue import EntryPointCatalogue
from cortex.engine.asking import AskingOnly
from cortex.engine.concurrency import names_of
from cortex.engine.course import Course, Made, Tries, failed
from cortex.engine.deadline import Deadlines, Lease
from cortex.engine.entry import Entry
from cortex.engine.failures import as_failure
from cortex.engine.handing import MOST_BESIDE, DerivedFiles
from cortex.engine.intentions import Intentions
from cortex.engine.limits import Limits
from cortex.engine.reaching import Reach
from cortex.engine.readiness import close_all, ready
from cortex.engine.records import Identity, Lane, Walked
from cortex.engine.reporting import Finished
from cortex.engine.tally import LaneRun, WouldWrite
from cortex.engine.turns_beside import Names, TurnsBeside
from cortex.engine.walk import look
from cortex.node import MediaNode, NodeContext, keys_of
from loom.errors import LoomError
from loom.graph.plan import Step
from loom.model import Depth, Kind, Outcome, asset_uuid
from loom.verbs import Library

ASK_AGAIN_S = 0.5
"""After how long a step asks again whether Loom has what it must have before."""


def at_once() -> bool:
    """What Loom is told, it has."""
    return True


class Pool(StrEnum):
    """Where a step runs that must not hold up others: it waits for the network, runs a program, or does something that
    may take long, as copying a large file does."""

    NETWORK = "network"
    PROGRAM = "program"
    EFFECT = "effect"


@runtime_checkable
class Droppable(Protocol):
    """A node whose work can be dropped, to be done again later."""

    def halt(self, halted: bool) -> None: ...


class Later(NamedTuple):
    """Why a step has no outcome yet: it is to be tried (again) after `wait_s` seconds, or waits for its `turn`."""

    wait_s: float = 0.0
    turn: Names = ()


class AssetFacts(NamedTuple):
    """Stands for `Media` where the bytes are out of reach. Those of a remote file lie at `local` as long as the asset
    is under way, those of others at its `path`."""

    path: str
    size: int
    mime: str
    kind: Kind
    asset: AssetName
    local: str


class AssetName(NamedTuple):
    blake3: bytes

    @property
    def uuid(self) -> Any:
        return asset_uuid(self.blake3)


class Beside:
    """Carries assets on through the steps that do not run in the sandbox.

    `acknowledged` says whether Loom has all that it was told until now; it raises `LOOM_UNREACHABLE` when it is not
    worth while to wait for that.
    """

    def __init__(
        self,
        lanes: tuple[Lane, ...],
        operators: EntryPointCatalogue,
        *,
        has_loom: bool,
        would_write: WouldWrite,
        acknowledged: Callable[[], bool] = at_once,
        base_s: float = Limits().base_s,
        library: Library | None = None,
        derived: DerivedFiles | None = None,
        intentions: Intentions | None = None,
    ) -> None:
        """`base_s`: how long a step that waits for the network may take when its node does not say. `library` is for
        nodes with the capability `database`, `derived` has the files that earlier nodes made."""
        self._intentions = intentions or Intentions()
        self.derived = derived or DerivedFiles(None, None)
        self._library = library
        self._base_s = base_s
        self._deadlines = Deadlines()
        self._has_loom = has_loom
        self._acknowledged = acknowledged
        self._would_write = would_write
        self._nodes = [
            {s.index: operators.create(s.operator, s.config, s.node) for s in lane.plan.steps if not s.sandboxed}
            for lane in lanes
        ]
        self._keys = [{index: keys_of(type(node)) for index, node in nodes.items()} for nodes in self._nodes]
        self.turns = TurnsBeside()
        self._names = [
            {index: names_of(lane.plan.steps[index].operator, node.capabilities) for index, node in nodes.items()}
            for lane, nodes in zip(lanes, self._nodes, strict=True)
        ]
        self._after_storing = [
            {index for index, node in nodes.items() if "database" in node.capabilities} for nodes in self._nodes
        ]
        self._pools = [
            {index: pool for index, node in nodes.items() if (pool := _pool_of(node)) is not None}
            for nodes in self._nodes
        ]

    def open(self) -> None:
        """Raises the `LoomError` with which a node cannot get ready."""
        for nodes in self._nodes:
            for node in nodes.values():
                ready(node, node.open)

    def pause(self, depth: Depth | None) -> None:
        """Has nodes that can drop what they are at do so, where a pause goes that deep."""
        for nodes in self._nodes:
            for node in nodes.values():
                if isinstance(node, Droppable):
                    node.halt(depth is Depth.NOW)

    def give_up(self) -> None:
        """Waits for no step any more; see `Deadlines`."""
        self._deadlines.give_up()

    def close(self) -> None:
        for nodes in self._nodes:
            close_all(nodes.values())
        self._intentions.close()

    def needs_storing_first(self, lane: int, step: int) -> bool:
        """Whether all that stands before the step must be stored in Loom before it runs."""
        return step in self._after_storing[lane]

    def pool(self, lane: int, step: int) -> Pool | None:
        """Where the step must run so that it holds up no others; None where that does not matter."""
        return self._pools[lane].get(step)

    def carry_on(self, entry: Entry, run: LaneRun, walked: Walked) -> Finished:
        """Takes the next step and those after it, until one that belongs elsewhere (to the sandbox, after storing, or
        to threads of another pool), later, or when its turn has come: `done` is false then. Nothing waits in here but a
        step itself."""
        identity = entry.identity
        if identity is None:
            raise ValueError("an asset without identity cannot go on")
        course = Course.resumed(run.lane.plan, walked)
        facts = AssetFacts(
            os.fsdecode(entry.path),
            identity.size,
            identity.mime,
            identity.kind,
            AssetName(identity.asset),
            os.fsdecode(entry.local),
        )
        first, later = walked.next_step, Later()

        def work(step: Step, course: Course) -> Outcome | None:
            nonlocal later
            if step.index != first and self._belongs_elsewhere(identity.lane, first, step.index):
                return None
            outcome = self._step(entry, run, identity, facts, step, course)
            if isinstance(outcome, Later):
                later = outcome
                return None
            self._give_turn(entry)
            return outcome

        course.advance(facts, entry.found.relative, work, sandboxed=False)
        after = walked._replace(
            outcomes=tuple(course.outcomes), computed=tuple(course.computed), next_step=course.next_step, wanted=()
        )
        return Finished(entry, run, after, course.done, *later)

    def _give_turn(self, entry: Entry) -> None:
        """Between two attempts at a step its turn is kept."""
        if entry.turn:
            self.turns.give(entry.turn)
            entry.turn = ()

    def _belongs_elsewhere(self, lane: int, first: int, step: int) -> bool:
        return self.needs_storing_first(lane, step) or self.pool(lane, step) is not self.pool(lane, first)

    def _step(
        self, entry: Entry, run: LaneRun, identity: Identity, facts: AssetFacts, step: Step, course: Course
    ) -> Outcome | Later:
        node = self._nodes[identity.lane][step.index]
        lease, reach = Lease(step.timeout_s or self._base_s), Reach(self.derived.read, MOST_BESIDE)
        context = partial(
            NodeContext,
            step.node,
            course.upstream(step),
            dry_run=run.lane.plan.dry_run,
            report_progress=lease.renew,
            left=None if step.timeout_s is None else lambda: lease.left,
            perform=partial(self._perform, node, run.lane.plan.dry_run),
            collect=partial(self._collect, entry),
            record=entry.actions.append,
            intend=partial(self._intentions.intend, run, entry),
            keys=self._keys[identity.lane][step.index],
            library=self._library_of(node, run.lane.plan.dry_run),
            derived=partial(course.derived, step, reach),
        )
        if step.intake is not None:
            context = partial(context, **course.taken(step.intake, reach))
        try:
            if "database" in node.capabilities and not self._is_stored():
                return Later(ASK_AGAIN_S)
        except LoomError as error:
            if error.code != "LOOM_UNREACHABLE":
                raise
            return course.add(failed(step, error.code, error.message, time.time_ns() // 1000), None)
        try:
            if entry.tries is None and (skipped := look(node, step, course, context, facts)) is not None:
                return skipped
        except BaseException as error:
            return course.add(failed(step, *as_failure(error), time.time_ns() // 1000), None)
        names = self._names[identity.lane][step.index]
        if not entry.turn and not self.turns.take(names):
            return Later(turn=names)
        entry.turn = names
        tries, entry.tries = entry.tries or Tries(step), None
        try:
            made = self._attempt(tries, identity.lane, lease, partial(tries.once, node, facts, context))
        except LoomError as error:
            made = failed(step, error.code, error.message, tries.started, tries.duration_us()), None
        self._intentions.drop_vain(run, entry)
        if made is None:
            entry.tries = tries
            return Later(tries.pause_s)
        return course.add(*made)

    def _attempt(self, tries: Tries, lane: int, lease: Lease, once: Callable[[], Made | None]) -> Made | None:
        """Raises `TIMED_OUT`. Only what waits for the network is left alone after its time: an effect that goes on
        unseen could be done a second time."""
        if self.pool(lane, tries.step.index) is not Pool.NETWORK:
            return once()
        return self._deadlines.within(lease, once)

    def _is_stored(self) -> bool:
        if not self._has_loom:
            raise LoomError("LOOM_UNREACHABLE", "this node works with Loom, and there is none")
        return self._acknowledged()

    def _library_of(self, node: MediaNode[Any], dry_run: bool) -> Library | None:
        if self._library is None or "database" not in node.capabilities:
            return None
        return AskingOnly(self._library) if dry_run else self._library

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
        except BaseException as error:
            raise LoomError("EFFECT_FAILED", f"{description}: {as_failure(error)[1]}") from error


def _pool_of(node: MediaNode[Any]) -> Pool | None:
    return next((pool for pool in Pool if pool in node.capabilities), None)
