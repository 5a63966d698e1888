"""One asset's way through a plan: which step comes next, what it may read, what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from cortex.engine import lifecycle
from cortex.engine.failures import as_failure
from cortex.engine.records import Computed, Walked
from cortex.fanning import FanOut
from cortex.node import MediaNode, NodeContext, ProducedArtifact, Result
from loom.errors import is_retryable
from loom.graph.matching import passes
from loom.graph.plan import Feed, Intake, Plan, Step
from loom.graph.ports import BUCKET, REST
from loom.model import ArtifactRef, Kind, Origin, Outcome, Reason, State, StoredResult

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
        if (reason := lifecycle.why_unreached(step, self.outcomes, self._bucket_of)) is not None:
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

    def derived(
        self, step: Step, read: Callable[[ArtifactRef], bytes], node: str, name: str
    ) -> ProducedArtifact | None:
        """The derived file of a node that the step may read; `read` gives the bytes of one that is stored."""
        index = step.reads[node]
        for computed in self.computed:
            if computed.step == index:
                return next((made for made in computed.artifacts if made.name == name), None)
        if index not in self.stored:
            return None
        refs = (ref for ref in self.stored[index][0].artifacts if ref.name == name)
        ref = next(refs, None)
        return None if ref is None else ProducedArtifact(ref.name, read(ref), ref.media_type)

    def _outputs_of(self, index: int) -> dict[str, Any] | None:
        outputs = self._outputs.get(index)
        if isinstance(outputs, bytes):
            outputs = self._outputs[index] = msgspec.json.decode(outputs, type=dict[str, Any])
        return outputs

    def _bucket_of(self, index: int) -> str:
        """Into which bucket the asset fell at a step; what was skipped is among the rest."""
        return str((self._outputs_of(index) or {}).get(BUCKET) or REST)

    def lacks_input(self, step: Step) -> bool:
        """Whether a node that the step needs gave no outputs, or no value came in where one must."""
        if step.intake is not None and step.intake.required and self._coming_in(step.intake) is None:
            return True
        return bool(step.needs) and lifecycle.missing_input(step, self._outputs)

    def taken(self, intake: Intake) -> dict[str, Any]:
        """What came in at the input for values, as arguments of `NodeContext`."""
        items = self._coming_in(intake)
        if items is None or intake.many or intake.fans_out:
            return {"items": items}
        return {"items": items, "item": items[0]}

    def _coming_in(self, intake: Intake) -> list[Any] | None:
        """The values of all that gave some, one after the other; None when nothing did."""
        found = [values for feed in intake.feeds if (values := self._fed(feed)) is not None]
        return None if not found else [value for values in found for value in values]

    def _fed(self, feed: Feed) -> list[Any] | None:
        outputs = self._outputs_of(feed.upstream)
        if outputs is None:
            return None
        value: Any = outputs if feed.key is None else outputs.get(feed.key)
        if feed.key is None and feed.depth:
            value = _rows(outputs)
        if value is None or not feed.depth:
            return None if value is None else [value]
        for _ in range(feed.depth - 1):
            value = [inner for one in value if one is not None for inner in one]
        return [one for one in value if one is not None]

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


def _rows(outputs: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    """The outputs of each item, of a node that was computed for each of several."""
    return [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]


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
        self.pause_s = min(_FIRST_BACKOFF_S * 2**self._attempt, MAX_BACKOFF_S)
        self._attempt += 1
        try:
            if self._fan_out is not None:
                context = self._fan_out.compute(node, media, make_context)
            else:
                context = make_context()
                node.compute(context, media)
            outputs = msgspec.json.encode(context.outputs)
        except NotAtHandError:
            raise
        except BaseException as error:  # also what an operator calls to end its process
            code, message = as_failure(error)
            if is_retryable(code) and self._attempt <= self.step.retries:
                return None
            if self._fan_out is not None:
                message = f"{self._fan_out.at}{message}"
            return failed(self.step, code, message, self.started, self.duration_us(), self._attempt), None
        return self._completed(context, outputs), context.outputs

    def _completed(self, context: NodeContext, outputs: bytes) -> Computed:
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
