from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
import pytest

from cortex.engine.course import Course, compute
from cortex.engine.reaching import NOWHERE
from cortex.engine.records import Computed, Walked
from cortex.node import MediaNode, NodeContext, OutputKey
from loom.errors import LoomError
from loom.graph.plan import AssetFilter, Feed, Intake, Plan, Step
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


WORDS = b'{"words": ["one", null, "three"], "first": "one", "nested": [["a"], null, ["b", "c"]], "none": null}'


@pytest.mark.parametrize(
    ("feeds", "more", "expected"),
    [
        ([Feed(0, "words", 1)], {"fans_out": True}, {"items": ["one", None, "three"]}),
        ([Feed(0, "words", 1)], {"many": True}, {"items": ["one", "three"]}),
        ([Feed(0, "first", 0)], {}, {"items": ["one"], "item": "one"}),
        ([Feed(0, "nested", 2)], {"fans_out": True}, {"items": ["a", "b", "c"]}),
        ([Feed(0, "none", 1), Feed(0, "words", 1)], {"fans_out": True}, {"items": ["one", None, "three"]}),
        ([Feed(0, "none", 1)], {"fans_out": True}, None),
        ([Feed(0, "gone", 0)], {}, None),
        ([Feed(0, "gone", 0)], {"required": False}, {"items": []}),
    ],
)
def test_what_comes_in_at_the_input_for_values(
    make_step: Any, make_plan: Any, facts: Any, feeds: Any, more: Any, expected: Any
) -> None:
    """From a stored result, as from one that was computed."""
    intake = Intake(feeds=tuple(feeds), **more)
    step = make_step(1, "takes", (0, None), intake=intake)
    stored = StoredResult(b"s", State.COMPLETED, Branch.PASS, WORDS)
    course = Course(make_plan(make_step(0, "gives"), step), {0: (stored, Origin.REMOTE)})
    course.advance(facts, b"a.png", None, sandboxed=True)
    assert course.lacks_input(step) is (expected is None)
    if expected is not None:
        assert course.taken(intake, NOWHERE) == expected


def test_all_outputs_of_a_node_may_be_one_value(make_step: Any, make_plan: Any, facts: Any) -> None:
    outputs = b'{"width": [1, 2], "height": [3, null]}'
    course = Course(
        make_plan(make_step(0, "gives")),
        {0: (StoredResult(b"s", State.COMPLETED, Branch.PASS, outputs), Origin.REMOTE)},
    )
    course.advance(facts, b"a.png", None, sandboxed=True)
    assert course.taken(Intake(feeds=(Feed(0, None, 0),)), NOWHERE)["item"] == {"width": [1, 2], "height": [3, None]}
    rows = course.taken(Intake(feeds=(Feed(0, None, 1),), fans_out=True), NOWHERE)["items"]
    assert rows == [{"width": 1, "height": 3}, {"width": 2, "height": None}]


@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize(("bucket", "reached"), [("small", "b"), ("large", "c"), (None, "d"), ("other", "d")])
def test_a_bucket_decides_which_port_is_taken(
    make_step: Any, make_plan: Any, facts: Any, bucket: str | None, reached: str, is_stored: bool
) -> None:
    plan = make_plan(
        make_step(0, "a"), make_step(1, "b", (0, None, "small")), make_step(2, "c", (0, Branch.PASS, "large")),
        make_step(3, "d", (0, None, "other")), make_step(4, "all", (0, None)),
    )  # fmt: skip
    outputs = {} if bucket is None else {"bucket": bucket}
    stored = StoredResult(b"s", State.COMPLETED, Branch.PASS, msgspec.json.encode(outputs))

    def work(step: Step, course: Course) -> Outcome:
        return course.add(Computed(step.index, Branch.PASS, b"{}", (), None, None, 0, 0, False), outputs)

    course = Course(plan, {0: (stored, Origin.CACHED)} if is_stored else {})
    course.advance(facts, b"a.png", work, sandboxed=True)
    taken = [step.node for step, o in zip(plan.steps, course.outcomes, strict=True) if o and o.state is State.COMPLETED]
    assert [node for node in taken if node != "a"] == [reached, "all"]


def test_what_a_filter_was_skipped_for_is_among_the_rest(make_step: Any, make_plan: Any, toy: Any, facts: Any) -> None:
    plan = make_plan(
        make_step(0, "a", enabled=False), make_step(1, "b", (0, None, "small")), make_step(2, "c", (0, None, "other"))
    )
    assert shapes(walk(plan, {2: toy()}, facts))[1:] == [
        (State.SKIPPED, Reason.BRANCH_NOT_TAKEN, None),
        (State.COMPLETED, None, Branch.PASS),
    ]


def test_a_step_is_computed_for_each_item_with_its_retries(make_step: Any, make_plan: Any, facts: Any) -> None:
    class Shy(MediaNode[Any]):
        operator = "test.shy"
        ITEM = OutputKey("item", str)
        asked = 0

        def compute(self, ctx: NodeContext, media: Any) -> None:
            self.asked += 1
            if self.asked == 2:
                raise LoomError("TRY_AGAIN", "not yet")
            ctx.output(self.ITEM, ctx.item)

    step = make_step(0, "shy", intake=Intake(feeds=(), fans_out=True), retries=1)
    node = Shy(id="shy")
    made, outputs = compute(node, step, facts, partial(NodeContext, "shy", {}, items=["a", "b"]), lambda _: None)
    assert (outputs, made.attempts, node.asked) == ({"item": ["a", "b"]}, 2, 3)
    node.asked = 0
    made, _ = compute(
        node, make_step(0, "shy", intake=step.intake), facts, partial(NodeContext, "s", {}, items=["a", "b"])
    )
    assert (made.error_code, made.error_message) == ("TRY_AGAIN", "item 2 of 2: not yet")
