"""What a worker process does with one file: reads it, and walks it through the sandboxed steps of its plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from cortex import catalogue
from cortex.derived import DerivedFile, looking
from cortex.engine.board import BoardSlot
from cortex.engine.course import Course, NotAtHandError, compute, failed
from cortex.engine.failures import as_failure
from cortex.engine.handing import MOST_IN_WORKER
from cortex.engine.reaching import Reach
from cortex.engine.readiness import close_all, ready
from cortex.engine.records import Answer, Identity, Item, Lane, Setup, Walked
from cortex.engine.turns import Turns
from cortex.media import Media
from cortex.media.wants import Wants, together
from cortex.node import MediaNode, NodeContext, keys_of
from cortex.outputs import ProducedArtifact
from loom.errors import LoomError
from loom.graph.matching import passes
from loom.graph.plan import Intake, Step
from loom.model import ArtifactRef, Outcome, Reason, State

RACY_NS = 2_000_000_000
"""A file modified less than this before it is read may be written again without a visible change of its stat."""

_NO_LANE = -1


class Walker:
    """One per worker process; holds the operators of every lane and the files of the batch in hand."""

    def __init__(self, setup: Setup, board: BoardSlot) -> None:
        self._setup = setup
        self._board = board
        self._turns = Turns(board, setup.limited)
        operators = catalogue.load()
        self._nodes: list[dict[int, MediaNode[Any]]] = [
            {s.index: operators.create(s.operator, s.config, s.node) for s in lane.plan.steps if s.sandboxed}
            for lane in setup.lanes
        ]
        self._contexts = [
            {index: self._context_of(node, lane.plan.dry_run) for index, node in nodes.items()}
            for lane, nodes in zip(setup.lanes, self._nodes, strict=True)
        ]
        self._wants_of = [
            {i: ready(node, node.wants) for i, node in nodes.items() if _looks_at_asset(lane.plan.steps[i])}
            for lane, nodes in zip(setup.lanes, self._nodes, strict=True)
        ]
        self._wants = [together(wants.values()) for wants in self._wants_of]
        self._open: dict[int, tuple[Media, Identity, int]] = {}
        self._wanted: tuple[ArtifactRef, ...] = ()
        for nodes in self._nodes:
            for node in nodes.values():
                ready(node, node.open)

    def _context_of(self, node: MediaNode[Any], dry_run: bool) -> partial[NodeContext]:
        return partial(
            NodeContext, node.id, dry_run=dry_run, report_progress=self._board.progress, keys=keys_of(type(node))
        )

    def identify(self, item: Item) -> Identity | Walked:
        """Opens the file, reads it and tells its content; a `Walked` with `failure` when it cannot be read."""
        self._board.enter(item.token, _NO_LANE, -1, "read", self._limit(None, item.stat.size))
        media: Media | None = None
        begun = time.perf_counter_ns()
        try:
            media = Media.open_path(
                item.path,
                self._wants[0] if len(self._wants) == 1 else Wants(),
                local=item.local,
                blamed={b.phase: (b.code, b.message) for b in item.blamed if b.step < 0},
                on_phase=self._phase,
            )
            identity = self._identity(item, media, begun)
            if item.resume is not None and identity.asset != item.asset:
                raise LoomError("CHANGED_WHILE_READ")
        except (Exception, MemoryError) as error:
            if media is not None:
                media.close()
            return self._unread(item, *as_failure(error), media)
        finally:
            self._board.leave()
        self._open[item.token] = (media, identity, time.time_ns())
        return identity

    def _identity(self, item: Item, media: Media, begun: int) -> Identity:
        lane = find_lane(self._setup.lanes, media, item.relative, item.lanes)
        if len(self._wants) > 1 and lane != _NO_LANE:
            media.expect(self._wants[lane])
        told_by_stat = item.resume is None or item.resume.trusted
        if item.asset is not None and media.stat == item.stat and told_by_stat:
            media.assume(item.asset)
            asset = item.asset
        else:
            asset = media.identify(all_streams=not item.size_known)
        took_us = (time.perf_counter_ns() - begun) // 1000
        return Identity(item.token, asset, media.size, media.mime, media.kind, lane, took_us, media.bytes_read)

    def walk(self, item: Item, answer: Answer) -> Walked:
        """Walks the file as far as sandboxed steps reach, and closes it."""
        media, identity, read_at = self._open.pop(item.token)
        self._wanted = ()
        try:
            if identity.lane == _NO_LANE:
                return self._walked(item, identity, media, read_at, None)
            plan = self._setup.lanes[identity.lane].plan
            if item.resume is None:
                course = Course(plan, {step: (result, origin) for step, result, origin in answer.stored})
            else:
                course = Course.resumed(plan, item.resume)
            if course.stored or course.next_step:
                media.expect(self._wants_left(identity.lane, course))
            course.advance(media, item.relative, partial(self._step, item, identity.lane, media), sandboxed=True)
            if media.changed():
                return self._unread(
                    item, "CHANGED_WHILE_READ", LoomError("CHANGED_WHILE_READ").message, media, identity
                )
            return self._walked(item, identity, media, read_at, course)
        finally:
            self._board.leave()
            media.close()

    def _wants_left(self, lane: int, course: Course) -> Wants:
        """What the nodes want that have no result yet: nobody is to be fed for the others."""
        left = (i for i in self._wants_of[lane] if i >= course.next_step and i not in course.stored)
        return together(self._wants_of[lane][i] for i in left)

    def discard(self, item: Item) -> None:
        """Closes the file without walking it."""
        media, _, _ = self._open.pop(item.token)
        media.close()

    def close(self) -> None:
        for nodes in self._nodes:
            close_all(nodes.values())

    def _step(self, item: Item, lane: int, media: Media, step: Step, course: Course) -> Outcome | None:
        """None when the run is paused, be it while the step waits for its turn, or when a stored derived file must be
        fetched for it: the file goes back as far as it got."""
        if self._board.halted:
            return None
        if item.blamed:
            blame = next((b for b in item.blamed if b.lane == lane and b.step == step.index), None)
            if blame is not None:
                return course.add(failed(step, blame.code, blame.message, time.time_ns() // 1000), None)
        self._board.enter(item.token, lane, step.index, "", self._limit(step, media.size))
        try:
            node, make_context = self._nodes[lane][step.index], self._contexts[lane][step.index]
            upstream = course.upstream(step)

            def derived(node: str, name: str) -> ProducedArtifact | None:
                return course.derived(step, self._reach(item), node, name)

            def context(**more: Any) -> NodeContext:
                return make_context(upstream, derived=derived, **more)

            if step.intake is not None:
                taken = course.taken(step.intake, self._reach(item))
                self._wanted = _not_at_hand(taken["items"], item)
                if self._wanted:
                    return None
                context = partial(context, **taken)
                if takes_file(step.intake) and not taken["items"]:  # it looks at the asset itself
                    media.expect(together([self._wants_left(lane, course), node.wants()]))
            skipped = look(node, step, course, context, media)
            if skipped is not None:
                return skipped
            if self._board.limited and not self._turns.take_step(lane, step.index):
                return None
            made = compute(node, step, media, context, self._pause)
            return None if self._wanted else course.add(*made)
        except BaseException as error:
            if self._wanted:
                return None
            return course.add(failed(step, *as_failure(error), time.time_ns() // 1000), None)

    def _reach(self, item: Item) -> Reach:
        return Reach(partial(self._stored_file, item), MOST_IN_WORKER)

    def _stored_file(self, item: Item, ref: ArtifactRef) -> bytes:
        """Raises what kept the parent from fetching it, and `NotAtHandError` when it was not asked to."""
        for handed in item.handed:
            if handed.digest == ref.digest:
                if handed.error is not None:
                    raise LoomError(*handed.error)
                return handed.data
        self._wanted = (ref,)
        raise NotAtHandError

    def _phase(self, name: str | None) -> None:
        self._board.phase(name or "")

    def _pause(self, seconds: float) -> None:
        self._board.renew()
        time.sleep(seconds)

    def _limit(self, step: Step | None, size: int) -> float:
        if step is not None and step.timeout_s is not None:
            return step.timeout_s
        return self._setup.limits.time_limit(size)

    def _walked(self, item: Item, identity: Identity, media: Media, read_at: int, course: Course | None) -> Walked:
        trusted = read_at - media.stat.mtime_ns >= RACY_NS
        if course is None:
            return Walked(item.token, identity, media.stat, trusted, (), (), bytes_read=media.bytes_read)
        stored = tuple((step, result, origin) for step, (result, origin) in course.stored.items())
        return Walked(
            item.token,
            identity,
            media.stat,
            trusted,
            tuple(course.outcomes),
            tuple(course.computed),
            stored,
            None,
            course.next_step,
            media.bytes_read,
            self._wanted,
        )

    @staticmethod
    def _unread(item: Item, code: str, message: str, media: Media | None, identity: Identity | None = None) -> Walked:
        count = 0 if media is None else media.bytes_read
        return Walked(item.token, identity, None, False, (), (), (), (code, message), bytes_read=count)


def find_lane(lanes: tuple[Lane, ...], media: Any, relative: bytes, offered: tuple[int, ...] | None) -> int:
    """The index of the first lane whose match lets the file pass, of those that it is offered to (None: all); -1 when
    none does."""
    for index, lane in enumerate(lanes):
        if offered is not None and index not in offered:
            continue
        if passes(lane.match, media.kind, media.mime, media.size, relative):
            return index
    return _NO_LANE


def look(
    node: MediaNode[Any], step: Step, course: Course, context: Callable[..., NodeContext], media: Any
) -> Outcome | None:
    """Whether a node that is enabled and has no stored result still need not compute."""
    if takes_file(step.intake):
        with looking(node, context(), media) as seen:
            found = _look_at(node, step, course, context, seen)
    else:
        found = _look_at(node, step, course, context, media)
    if found is not None:
        return found
    if (step.needs or step.intake is not None) and course.lacks_input(step):
        return Outcome(State.SKIPPED, Reason.MISSING_INPUT)
    return None


def _look_at(
    node: MediaNode[Any], step: Step, course: Course, context: Callable[..., NodeContext], media: Any
) -> Outcome | None:
    fans_out = step.intake is not None and step.intake.fans_out
    if type(node).exists_result is not MediaNode.exists_result and not fans_out:
        found = node.exists_result(context(), media)
        if found is not None:
            return course.offer(step, found.checked(keys_of(type(node))))
    if not (fans_out and takes_file(step.intake)) and not node.is_processable(media):
        return Outcome(State.SKIPPED, Reason.NOT_PROCESSABLE)
    return None


def takes_file(intake: Intake | None) -> bool:
    """Whether a step looks at derived files, one at a time."""
    return intake is not None and not intake.many and any(feed.is_artifact for feed in intake.feeds)


def _looks_at_asset(step: Step) -> bool:
    return step.enabled and not takes_file(step.intake)


def _not_at_hand(items: Iterable[Any], item: Item) -> tuple[ArtifactRef, ...]:
    """The stored derived files among what came in that the parent must fetch first."""
    handed = {one.digest for one in item.handed}
    refs = [one.ref for one in items if isinstance(one, DerivedFile) and one.ref is not None]
    return tuple({ref.digest: ref for ref in refs if ref.digest not in handed}.values())
