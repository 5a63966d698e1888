"""One asset's way through a plan: which step comes next, what it may read, what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from cortex.engine import lifecycle
from cortex.engine.failures import as_failure
from cortex.engine.records import Computed, Walked
from cortex.node import MediaNode, NodeContext
from loom.errors import is_retryable
from loom.graph.matching import passes
from loom.graph.plan import Plan, Step
from loom.model import Kind, Origin, Outcome, Reason, State, StoredResult

MAX_BACKOFF_S = 5.0
_FIRST_BACKOFF_S = 0.1


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

    @classmethod
    def resumed(cls, plan: Plan, walked: Walked) -> Course:
        """The course as it was when `walked` was made of it."""
        course = cls(plan, {step: (result, origin) for step, result, origin in walked.stored})
        course.outcomes = list(walked.outcomes)
        course.computed = list(walked.computed)
        course.next_step = walked.next_step
        for step, (result, _) in course.stored.items():
            if course.outcomes[step] is not None:
                course._outputs[step] = result.outputs
        for computed in course.computed:
            if computed.error_code is None:
                course._outputs[computed.step] = computed.outputs
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
        if (reason := lifecycle.why_unreached(step, self.outcomes)) is not None:
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

    def _outputs_of(self, index: int) -> dict[str, Any] | None:
        outputs = self._outputs.get(index)
        if isinstance(outputs, bytes):
            outputs = self._outputs[index] = msgspec.json.decode(outputs, type=dict[str, Any])
        return outputs

    def lacks_input(self, step: Step) -> bool:
        return lifecycle.missing_input(step, self._outputs)

    def add(self, computed: Computed, outputs: dict[str, Any] | None) -> Outcome:
        """Takes what computing a step gave."""
        self.computed.append(computed)
        if outputs is not None:
            self._outputs[computed.step] = outputs
        state = State.COMPLETED if computed.error_code is None else State.FAILED
        return Outcome(state, None, Origin.COMPUTED, computed.verdict, computed.duration_us)


def compute(
    node: MediaNode[Any],
    step: Step,
    media: Any,
    make_context: Callable[[], NodeContext],
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Computed, dict[str, Any] | None]:
    """Runs `node.compute`, again after a pause while it fails with a retryable code and the step has retries left."""
    started, clock = time.time_ns() // 1000, time.perf_counter_ns()
    attempt = 1
    while True:
        context = make_context()
        try:
            node.compute(context, media)
            outputs = msgspec.json.encode(context.outputs)
            code = message = None
        except (Exception, MemoryError) as error:
            code, message = as_failure(error)
        if code is None or not is_retryable(code) or attempt > step.retries:
            break
        sleep(min(_FIRST_BACKOFF_S * 2 ** (attempt - 1), MAX_BACKOFF_S))
        attempt += 1
    duration = (time.perf_counter_ns() - clock) // 1000
    if code is not None:
        return failed(step, code, message or "", started, duration, attempt), None
    computed = Computed(
        step.index,
        context.result_verdict,
        outputs,
        tuple(context.artifacts),
        None,
        None,
        started,
        duration,
        False,
        attempt,
    )
    return computed, context.outputs


def failed(step: Step, code: str, message: str, started: int, duration_us: int = 0, attempts: int = 1) -> Computed:
    """What a step gave that raised, timed out or killed its worker."""
    return Computed(step.index, None, b"{}", (), code, message, started, duration_us, is_retryable(code), attempts)
