from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from cortex.engine.course import Course, compute
from cortex.engine.records import Walked
from cortex.node import MediaNode, NodeContext
from loom.errors import LoomError
from loom.graph.plan import AssetFilter, Plan, Step
from loom.model import Branch, Kind, Origin, Outcome, Reason, State, StoredResult


def walk(
    plan: Plan, nodes: dict[int, MediaNode[Any]], facts: Any, stored: dict[int, Any] | None = None, course: Any = None
) -> Course:
    course = course or Course(plan, stored or {})

    def work(step: Step, course: Course) -> Outcome:
        context = partial(NodeContext, step.node, course.upstream(step))
        return course.add(*compute(nodes[step.index], step, facts, context))

    course.advance(facts, b"a.png", work, sandboxed=True)
    return course


def shapes(course: Course) -> list[tuple[Any, ...] | None]:
    return [None if o is None else (o.state, o.reason, o.verdict) for o in course.outcomes]


def test_a_verdict_decides_which_branch_is_walked(make_step: Any, make_plan: Any, toy: Any, facts: Any) -> None:
    plan = make_plan(
        make_step(0, "filter"), make_step(1, "kept", (0, Branch.PASS)), make_step(2, "aside", (0, Branch.FAIL)),
        make_step(3, "after", (1, None)),
    )  # fmt: skip
    nodes = {0: toy(verdict="FAIL"), 1: toy(), 2: toy(), 3: toy()}
    assert shapes(walk(plan, nodes, facts)) == [
        (State.COMPLETED, None, Branch.FAIL),
        (State.SKIPPED, Reason.BRANCH_NOT_TAKEN, None),
        (State.COMPLETED, None, Branch.PASS),
        (State.SKIPPED, Reason.BRANCH_NOT_TAKEN, None),
    ]


def test_a_failure_stops_only_what_hangs_on_it(make_step: Any, make_plan: Any, toy: Any, facts: Any) -> None:
    plan = make_plan(
        make_step(0, "bad"), make_step(1, "hangs", (0, None)), make_step(2, "repair", (0, Branch.ERROR)),
        make_step(3, "apart"),
    )  # fmt: skip
    nodes = {0: toy(raises="FILE_DAMAGED"), 1: toy(), 2: toy(), 3: toy()}
    course = walk(plan, nodes, facts)
    assert shapes(course) == [
        (State.FAILED, None, None),
        (State.SKIPPED, Reason.UPSTREAM_FAILED, None),
        (State.COMPLETED, None, Branch.PASS),
        (State.COMPLETED, None, Branch.PASS),
    ]
    assert course.computed[0].error_code == "FILE_DAMAGED"


def test_a_stored_result_is_used_and_read(make_step: Any, make_plan: Any, toy: Any, facts: Any) -> None:
    plan = make_plan(make_step(0, "first"), make_step(1, "second", (0, None), reads={"first": 0}))
    nodes = {0: toy(), 1: toy(reads="first")}
    stored = StoredResult(b"s", State.COMPLETED, Branch.PASS, b'{"done":"long ago"}')
    course = walk(plan, nodes, facts, {0: (stored, Origin.REMOTE)})
    assert course.outcomes[0] == Outcome(State.SKIPPED, Reason.STORED, Origin.REMOTE, Branch.PASS)
    assert nodes[0].calls == 0
    assert b"long ago" in course.computed[0].outputs


def test_filters_and_switches_come_before_stored_results(make_step: Any, make_plan: Any, toy: Any, facts: Any) -> None:
    stored = StoredResult(b"s", State.COMPLETED, Branch.FAIL, b"{}")
    plan = make_plan(
        make_step(0, "filtered", filter=AssetFilter(kinds=frozenset({Kind.VIDEO}))),
        make_step(1, "off", enabled=False),
        make_step(2, "after", (0, None), (1, None)),
    )
    course = walk(plan, {2: toy()}, facts, {0: (stored, Origin.REMOTE), 1: (stored, Origin.REMOTE)})
    assert [o.reason for o in course.outcomes if o] == [Reason.FILTERED, Reason.DISABLED, None]


def test_it_stops_where_the_other_side_begins_and_goes_on_from_there(
    make_step: Any, make_plan: Any, toy: Any, facts: Any
) -> None:
    plan = make_plan(
        make_step(0, "inside"), make_step(1, "beside", (0, None), sandboxed=False),
        make_step(2, "again", (1, None), reads={"inside": 0, "beside": 1}),
    )  # fmt: skip
    nodes = {0: toy(), 1: toy(), 2: toy(reads="beside")}
    course = walk(plan, nodes, facts)
    assert (course.next_step, course.done) == (1, False)
    walked = Walked(1, None, None, True, tuple(course.outcomes), tuple(course.computed), (), None, course.next_step)
    beside = Course.resumed(plan, walked)

    def work(step: Step, course: Course) -> Outcome:
        return course.add(*compute(nodes[1], step, facts, partial(NodeContext, step.node, course.upstream(step))))

    beside.advance(facts, b"a.png", work, sandboxed=False)
    assert beside.next_step == 2
    walked = walked._replace(outcomes=tuple(beside.outcomes), computed=tuple(beside.computed), next_step=2)
    last = walk(plan, nodes, facts, course=Course.resumed(plan, walked))
    assert last.done
    assert b'"seen":"toy"' in last.computed[-1].outputs


def test_a_step_beside_the_sandbox_that_is_not_reached_does_not_stop_it(
    make_step: Any, make_plan: Any, toy: Any, facts: Any
) -> None:
    plan = make_plan(make_step(0, "a"), make_step(1, "aside", (0, Branch.FAIL), sandboxed=False), make_step(2, "b"))
    assert walk(plan, {0: toy(), 2: toy()}, facts).done


def test_reading_what_was_not_declared_fails(make_step: Any, make_plan: Any, toy: Any, facts: Any) -> None:
    plan = make_plan(make_step(0, "a"), make_step(1, "nosy", (0, None), reads={}))
    course = walk(plan, {0: toy(), 1: toy(reads="a")}, facts)
    assert course.computed[1].error_code == "OPERATOR_FAILED"


def attempts_at(codes: Iterator[str | None]) -> Callable[..., None]:
    def compute_once(ctx: NodeContext, media: Any) -> None:
        code = next(codes)
        if code is not None:
            raise LoomError(code)

    return compute_once


def test_retries_are_for_failures_that_may_pass(make_step: Any, toy: Any, facts: Any) -> None:
    slept: list[float] = []
    node = toy()
    step = make_step(0, "a", retries=3)
    context = partial(NodeContext, "a", {})
    node.compute = attempts_at(iter(["READ_FAILED", "READ_FAILED", None]))
    computed, _ = compute(node, step, facts, context, slept.append)
    assert (computed.error_code, computed.attempts) == (None, 3)
    assert slept == sorted(slept)
    assert len(slept) == 2
    node.compute = attempts_at(iter(["FILE_DAMAGED"]))
    computed, _ = compute(node, step, facts, context, slept.append)
    assert (computed.error_code, computed.attempts, computed.retryable) == ("FILE_DAMAGED", 1, False)
    node.compute = attempts_at(iter(["READ_FAILED"] * 4))
    computed, _ = compute(node, step, facts, context, slept.append)
    assert (computed.error_code, computed.attempts, computed.retryable) == ("READ_FAILED", 4, True)


class Cancelled(BaseException):
    """As some libraries have them."""


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), Cancelled("late")])
def test_an_operator_that_ends_its_process_only_fails(
    make_step: Any, toy: Any, facts: Any, error: BaseException
) -> None:
    def ends(ctx: NodeContext, media: Any) -> None:
        raise error

    node = toy()
    node.compute = ends
    computed, _ = compute(node, make_step(0, "a", retries=3), facts, partial(NodeContext, "a", {}))
    assert (computed.error_code, computed.attempts) == ("OPERATOR_FAILED", 1)
    assert type(error).__name__ in (computed.error_message or "")


def test_what_reads_a_failure_that_may_pass_is_not_kept(make_step: Any, make_plan: Any, toy: Any, facts: Any) -> None:
    plan = make_plan(
        make_step(0, "flaky"), make_step(1, "damaged"),
        make_step(2, "reader", (0, Branch.ERROR), reads={"flaky": 0}),
        make_step(3, "after", (2, None), reads={"reader": 2}),
        make_step(4, "other", (1, Branch.ERROR), reads={"damaged": 1}),
    )  # fmt: skip
    nodes = {0: toy(raises="READ_FAILED"), 1: toy(raises="FILE_DAMAGED"), 2: toy(), 3: toy(), 4: toy()}
    assert [c.retryable for c in walk(plan, nodes, facts).computed] == [True, False, True, True, False]


def test_across_the_border_only_stored_results_that_were_used_are_read(
    make_step: Any, make_plan: Any, toy: Any, facts: Any
) -> None:
    steps = [
        make_step(0, "off", enabled=False), make_step(1, "failed"), make_step(2, "used"),
        make_step(3, "beside", (2, None), sandboxed=False),
        make_step(4, "reader", (0, None), reads={"off": 0, "failed": 1, "used": 2}),
    ]  # fmt: skip
    plan = make_plan(*steps)
    good = StoredResult(b"s", State.COMPLETED, Branch.PASS, b'{"done":"long ago"}')
    bad = StoredResult(b"s", State.FAILED, None, b"{}", (), "FILE_DAMAGED", "damaged")
    course = walk(plan, {}, facts, {0: (good, Origin.REMOTE), 1: (bad, Origin.REMOTE), 2: (good, Origin.REMOTE)})
    stored = tuple((index, *found) for index, found in course.stored.items())
    walked = Walked(1, None, None, True, tuple(course.outcomes), (), stored, None, course.next_step)
    upstream = Course.resumed(plan, walked).upstream(steps[4])
    assert upstream == course.upstream(steps[4]) == {"off": None, "failed": None, "used": {"done": "long ago"}}
