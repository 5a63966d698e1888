"""One asset's way through a plan: which step comes next, what it may read, what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from cortex.derived import DerivedFile, looking
from cortex.engine import lifecycle
from cortex.engine.failures import as_failure
from cortex.engine.feeding import Feeding
from cortex.engine.reaching import Reach, files_made, files_stored
from cortex.engine.records import Computed, Spilled, Walked
from cortex.fanning import FanOut
from cortex.node import MediaNode, NodeContext, ProducedArtifact, Result
from loom.errors import is_retryable
from loom.graph.matching import passes
from loom.graph.plan import Intake, Plan, Step
from loom.model import Kind, Origin, Outcome, Reason, State, StoredResult

MAX_BACKOFF_S = 5.0
_FIRST_BACKOFF_S = 0.1


class NotAtHandError(BaseException):
    """A step asks for a stored derived file of which this process does not have the bytes; it is to be done again when
    it has."""


class Facts(Protocol):
    """What is known of a file without opening it again."""

    @property
    def kind(self) -> Kind: ...

    @property
    def mime(self) -> str: ...

    @property
    def size(self) -> int: ...


class Course:
    """The state of one asset's walk; `advance` carries it on.

    `stored` holds the results that may be used instead of computing, by step index.
    """

    def __init__(self, plan: Plan, stored: Mapping[int, tuple[StoredResult, Origin]]) -> None:
        self.plan = plan
        self.stored = stored
        self.outcomes: list[Outcome | None] = [None] * len(plan.steps)
        self.computed: list[Computed] = []
        self.next_step = 0
        self._outputs: dict[int, dict[str, Any] | bytes] = {}
        self._passing: set[int] = set()
        self._feeding = Feeding(plan, lambda step: self.outcomes[step], self._outputs_of, self._files_of)

    @classmethod
    def resumed(cls, plan: Plan, walked: Walked) -> Course:
        """The course as it was when `walked` was made of it."""
        course = cls(plan, {step: (result, origin) for step, result, origin in walked.stored})
        course.outcomes = list(walked.outcomes)
        course.computed = list(walked.computed)
        course.next_step = walked.next_step
        for step, (result, _) in course.stored.items():
            outcome = course.outcomes[step]
            if outcome is not None and outcome.reason is Reason.STORED and result.state is State.COMPLETED:
                course._outputs[step] = result.outputs
        for computed in course.computed:
            if computed.error_code is None:
                course._outputs[computed.step] = computed.outputs
            if computed.retryable:
                course._passing.add(computed.step)
        return course

    @property
    def done(self) -> bool:
        return self.next_step == len(self.plan.steps)

    def advance(
        self,
        facts: Facts,
        relative: bytes,
        work: Callable[[Step, Course], Outcome | None] | None,
        *,
        sandboxed: bool,
    ) -> None:
        """Decides step after step; calls `work` for those that must be looked at on this side and stops before the
        first that belongs to the other side, or for which `work` returns None. A step whose outcome is clear without
        its node is decided on any side."""
        steps = self.plan.steps
        while self.next_step < len(steps):
            step = steps[self.next_step]
            outcome = self._without_node(step, facts, relative)
            if outcome is None:
                if work is None or step.sandboxed is not sandboxed:
                    return
                outcome = work(step, self)
                if outcome is None:
                    return
            self.outcomes[step.index] = outcome
            self.next_step += 1

    def _without_node(self, step: Step, facts: Facts, relative: bytes) -> Outcome | None:
        if (reason := lifecycle.why_unreached(step, self.outcomes, self._feeding.leads)) is not None:
            return Outcome(State.SKIPPED, reason)
        if step.filter is not None and not passes(step.filter, facts.kind, facts.mime, facts.size, relative):
            return Outcome(State.SKIPPED, Reason.FILTERED)
        if not step.enabled:
            return Outcome(State.SKIPPED, Reason.DISABLED)
        if (found := self.stored.get(step.index)) is not None:
            return self.use(step, *found)
        return None

    def use(self, step: Step, result: StoredResult, origin: Origin) -> Outcome:
        """Takes a stored result in place of computing."""
        if result.state is State.COMPLETED:
            self._outputs[step.index] = result.outputs
        return lifecycle.stored_outcome(result, origin)

    def upstream(self, step: Step) -> dict[str, dict[str, Any] | None]:
        """What the step may read, by node id."""
        return {node: self._outputs_of(index) for node, index in step.reads.items()}

    def derived(self, step: Step, reach: Reach, node: str, name: str) -> ProducedArtifact | None:
        """The derived file of a node that the step may read."""
        files = self._files_of(step.reads[node], reach)
        found = next((one for one in files if one.name == name), None)
        return None if found is None else ProducedArtifact(found.name, found.data, found.media_type)

    def _files_of(self, index: int, reach: Reach) -> list[DerivedFile]:
        """The derived files that a step made of this asset, in this run or before."""
        for computed in self.computed:
            if computed.step == index:
                return files_made(computed, reach)
        return files_stored(self.stored[index][0].artifacts, reach) if index in self.stored else []

    def _outputs_of(self, index: int) -> dict[str, Any] | None:
        outputs = self._outputs.get(index)
        if isinstance(outputs, bytes):
            outputs = self._outputs[index] = msgspec.json.decode(outputs, type=dict[str, Any])
        return outputs

    def lacks_input(self, step: Step) -> bool:
        """Whether a node that the step needs gave no outputs, or no value came in where one must."""
        if step.intake is not None and step.intake.required and self._feeding.lacks(step.intake):
            return True
        return bool(step.needs) and lifecycle.missing_input(step, self._outputs)

    def taken(self, intake: Intake, reach: Reach) -> dict[str, Any]:
        """What came in at the input for values or derived files, as arguments of `NodeContext`."""
        return self._feeding.taken(intake, reach)

    def add(self, computed: Computed, outputs: dict[str, Any] | None) -> Outcome:
        """Takes what computing a step gave. What was made while a step that it reads had failed in a way that may pass
        is not to be kept: the next run may find something else."""
        if self._passing and not self._passing.isdisjoint(self.plan.steps[computed.step].reads.values()):
            computed = msgspec.structs.replace(computed, retryable=True)
        if computed.retryable:
            self._passing.add(computed.step)
        self.computed.append(computed)
        if outputs is not None:
            self._outputs[computed.step] = outputs
        state = State.COMPLETED if computed.error_code is None else State.FAILED
        return Outcome(state, None, Origin.COMPUTED, computed.verdict, computed.duration_us)

    def offer(self, step: Step, result: Result) -> Outcome:
        """Takes what the operator knew without computing, and what was `checked`; it is to be stored like what was
        computed."""
        outputs = dict(result.outputs)
        encoded = msgspec.json.encode(outputs)
        now = time.time_ns() // 1000
        self.add(Computed(step.index, result.verdict, encoded, (), None, None, now, 0, False, 0), outputs)
        return Outcome(State.SKIPPED, Reason.STORED, Origin.CACHED, result.verdict)


Made = tuple[Computed, dict[str, Any] | None]
"""What came of a step, and its outputs for those that read them."""


class Tries:
    """The attempts at one step for one asset: another one after a pause, while it fails with a retryable code and the
    step has retries left."""

    def __init__(self, step: Step) -> None:
        self.step = step
        self.pause_s = _FIRST_BACKOFF_S
        """How long to wait before the next attempt."""
        self._attempt = 0
        self._fan_out = FanOut() if step.intake is not None and step.intake.fans_out else None
        self.started, self._clock = time.time_ns() // 1000, time.perf_counter_ns()

    def once(self, node: MediaNode[Any], media: Any, make_context: Callable[..., NodeContext]) -> Made | None:
        """Runs `node.compute`; what came of it, None when it is to be tried again."""
        self._attempt += 1
        try:
            if self._fan_out is not None:
                context = self._fan_out.compute(node, media, make_context)
            else:
                context = make_context()
                if context.item is None:
                    node.compute(context, media)
                else:
                    with looking(node, context, media) as seen:
                        node.compute(context, seen)
            outputs = msgspec.json.encode(context.outputs)
        except NotAtHandError:
            raise
        except BaseException as error:  # also what an operator calls to end its process
            code, message = as_failure(error)
            if is_retryable(code) and self._attempt <= self.step.retries:
                self.pause_s = min(_FIRST_BACKOFF_S * 2 ** (self._attempt - 1), MAX_BACKOFF_S)
                return None
            if self._fan_out is not None:
                message = f"{self._fan_out.at}{message}"
            return failed(self.step, code, message, self.started, self.duration_us(), self._attempt), None
        return self._completed(context, outputs), context.outputs

    def _completed(self, context: NodeContext, outputs: bytes) -> Computed:
        large = context.large_artifacts
        return Computed(
            self.step.index,
            context.result_verdict,
            outputs,
            tuple(context.artifacts),
            None,
            None,
            self.started,
            self.duration_us(),
            False,
            self._attempt,
            tuple(Spilled(name, kind, parts.extents, parts.file) for name, parts, kind in large) if large else (),
        )

    def duration_us(self) -> int:
        """Since the first attempt began."""
        return (time.perf_counter_ns() - self._clock) // 1000


def compute(
    node: MediaNode[Any],
    step: Step,
    media: Any,
    make_context: Callable[..., NodeContext],
    sleep: Callable[[float], None] = time.sleep,
) -> Made:
    """All attempts at a step, with its pauses."""
    tries = Tries(step)
    while (made := tries.once(node, media, make_context)) is None:
        sleep(tries.pause_s)
    return made


def failed(step: Step, code: str, message: str, started: int, duration_us: int = 0, attempts: int = 1) -> Computed:
    """What a step gave that raised, timed out or killed its worker."""
    return Computed(step.index, None, b"{}", (), code, message, started, duration_us, is_retryable(code), attempts)
