"""What comes in at a step, item by item, and along which edges an asset goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cortex.derived import DerivedFile
from cortex.engine.course import Course
from cortex.engine.reaching import NOWHERE, Reach
from cortex.engine.records import Computed
from cortex.outputs import ProducedArtifact
from loom.graph.plan import Feed, Intake, Plan, Way
from loom.model import ArtifactRef, Branch, Origin, Reason, State, StoredResult

PASS, FAIL = Branch.PASS, Branch.FAIL
LIST = Feed(0, "words", 1)
FANNED = Intake(feeds=(LIST,), fans_out=True)


def behind(*ways: Way, **more: Any) -> Intake:
    return Intake(feeds=(msgspec.structs.replace(LIST, ways=ways),), **{"fans_out": True, **more})


@pytest.fixture
def walked(make_plan: Any, facts: Any) -> Callable[..., Course]:
    """The course of an asset whose steps have these outputs stored, and verdicts; None: no result."""

    def walk(steps: list[Any], *results: Any) -> Course:
        stored = {
            index: (
                StoredResult(b"s", State.COMPLETED, verdict, msgspec.json.encode(outputs), files), Origin.REMOTE
            )
            for index, given in enumerate(results)
            if given is not None
            for outputs, verdict, files in [(*given, *(PASS, ())[len(given) - 1 :])]
        }  # fmt: skip
        course = Course(make_plan(*steps), stored)
        course.advance(facts, b"a.png", None, sandboxed=True)
        return course

    return walk


WORDS = ({"words": ["a", "b", None, "d"]},)
SORTED = ({"verdicts": ["PASS", "FAIL", None, "PASS"]},)


@pytest.mark.parametrize(
    ("branches", "expected"),
    [
        ([PASS], ["a", None, None, "d"]),
        ([FAIL], [None, "b", None, None]),
        ([PASS, FAIL], ["a", "b", None, "d"]),
        ([Branch.ERROR], [None] * 4),
    ],
)
def test_items_keep_their_numbers_and_those_that_went_elsewhere_are_not_there(
    make_step: Any, walked: Callable[..., Course], branches: list[Branch], expected: list[Any]
) -> None:
    ways = [Way(1, branch, None) for branch in branches]
    steps = [make_step(0, "split"), make_step(1, "keep", (0, None), intake=FANNED)]
    steps += [make_step(2, "take", *((1, branch) for branch in branches), intake=behind(*ways))]
    course = walked(steps, WORDS, SORTED)
    assert course.taken(steps[2].intake, NOWHERE) == {"items": expected}
    everything = behind(*ways, fans_out=False, many=True)
    assert course.taken(everything, NOWHERE) == {"items": [one for one in expected if one is not None]}


@pytest.mark.parametrize(
    ("outputs", "verdict", "taken"),
    [
        (SORTED[0], PASS, ["pass", "fail"]),
        ({"verdicts": ["FAIL", None]}, FAIL, ["fail"]),
        ({}, PASS, ["pass"]),
        ({}, FAIL, ["fail"]),
        ({"verdicts": "nonsense"}, PASS, ["pass"]),
    ],
)
def test_the_asset_goes_along_an_edge_when_an_item_does(
    make_step: Any, walked: Callable[..., Course], outputs: Any, verdict: Branch, taken: list[str]
) -> None:
    steps = [make_step(0, "split"), make_step(1, "keep", (0, None), intake=FANNED)]
    steps += [make_step(2, "pass", (1, PASS)), make_step(3, "fail", (1, FAIL))]
    course = walked(steps, WORDS, (outputs, verdict), ({},), ({},))
    went = [step.node for step, one in zip(steps, course.outcomes, strict=True) if one and one.reason is Reason.STORED]
    assert went[2:] == taken


def test_single_items_fall_into_buckets(make_step: Any, walked: Callable[..., Course]) -> None:
    steps = [make_step(0, "split"), make_step(1, "sort", (0, None), intake=FANNED)]
    buckets = ["small", "large", "other", "none"]
    steps += [make_step(2 + at, name, (1, None, name)) for at, name in enumerate(buckets)]
    sizes = ({"bucket": ["small", None, None, "large"], "verdicts": ["PASS", "FAIL", None, "PASS"]},)
    course = walked(steps, WORDS, sizes, ({},), ({},), ({},), ({},))
    assert [one.reason for one in course.outcomes[2:] if one] == [*[Reason.STORED] * 3, Reason.BRANCH_NOT_TAKEN]
    for name, expected in (("large", [None, None, None, "d"]), ("other", [None, "b", None, None])):
        assert course.taken(behind(Way(1, None, name)), NOWHERE)["items"] == expected


@pytest.mark.parametrize(
    ("switched", "passed", "failed"),
    [({"enabled": False}, ["a", "b", None, "d"], [None] * 4), ({}, [None] * 4, [None] * 4)],
)
def test_a_filter_that_is_switched_off_lets_all_pass_and_one_out_of_reach_none(
    make_step: Any, walked: Callable[..., Course], switched: Any, passed: Any, failed: Any
) -> None:
    steps = [make_step(0, "split"), make_step(1, "keep", (0, None if switched else FAIL), intake=FANNED, **switched)]
    course = walked([*steps, make_step(2, "take", (0, None))], WORDS)
    for branch, expected in ((PASS, passed), (FAIL, failed)):
        assert course.taken(behind(Way(1, branch, None)), NOWHERE)["items"] == expected


def test_filters_one_behind_the_other_keep_what_all_let_through(make_step: Any, walked: Callable[..., Course]) -> None:
    """However many there are; the second says nothing of single items, since all that it saw passed."""
    most = 1200
    steps = [make_step(0, "split"), make_step(1, "n1", (0, None), intake=FANNED)]
    steps += [make_step(n, f"n{n}", (n - 1, PASS), intake=behind(Way(n - 1, PASS, None))) for n in range(2, most)]
    steps.append(make_step(most, "last", (most - 1, PASS)))
    course = walked(steps, WORDS, SORTED, *[({},)] * (most - 2))
    assert course.taken(behind(Way(most - 1, PASS, None)), NOWHERE)["items"] == ["a", None, None, "d"]


def test_numbers_go_on_over_what_comes_from_several_nodes(make_step: Any, walked: Callable[..., Course]) -> None:
    """Also for a step that does not take all that the filter took."""
    other = Feed(1, "words", 1)
    both = Intake(feeds=(LIST, other), fans_out=True)
    steps = [make_step(0, "a"), make_step(1, "b", (0, None)), make_step(2, "keep", (1, None), intake=both)]
    verdicts = ({"verdicts": ["FAIL", "PASS", None, "PASS", "FAIL", "PASS"]},)
    course = walked([*steps, make_step(3, "take", (2, None))], WORDS, ({"words": ["x", "y"]},), verdicts)
    second = msgspec.structs.replace(other, ways=(Way(2, PASS, None),))
    assert course.taken(Intake(feeds=(second,), fans_out=True), NOWHERE)["items"] == [None, "y"]


def test_what_a_filter_gives_itself_is_let_through_row_by_row(make_step: Any, walked: Callable[..., Course]) -> None:
    steps = [make_step(0, "split"), make_step(1, "keep", (0, None), intake=FANNED), make_step(2, "t", (1, None))]
    given = {"parts": [["p", "q"], ["r"], None, ["s"]], "size": [1, 2, None, 4], **SORTED[0]}
    course = walked(steps, WORDS, (given,))
    ways = (Way(1, PASS, None),)
    parts = Intake(feeds=(Feed(1, "parts", 2, ways=ways),), fans_out=True)
    assert course.taken(parts, NOWHERE)["items"] == ["p", "q", None, "s"]
    rows = course.taken(Intake(feeds=(Feed(1, None, 1, ways=ways),), fans_out=True), NOWHERE)["items"]
    assert rows == [{"parts": ["p", "q"], "size": 1}, None, None, {"parts": ["s"], "size": 4}]


def refs(*names: str) -> tuple[ArtifactRef, ...]:
    return tuple(ArtifactRef(name, name.encode().ljust(32, b"."), "image/png", 3) for name in names)


def named(taken: dict[str, Any]) -> list[str | None]:
    return [one and one.name for one in taken["items"]]


@pytest.mark.parametrize(
    ("feed", "fanned", "names", "expected"),
    [
        (Feed(0, "part-*", 1, True), False, ["part-10", "part-9", "whole"], ["part-9", "part-10"]),
        (Feed(0, "part-*", 1, True), False, ["whole"], []),
        (Feed(0, None, 0, True), False, ["b", "a"], ["a"]),
        (Feed(0, "c", 0, True), False, ["b", "a"], None),
        (Feed(0, "crop", 1, True), True, ["crop-3", "crop-0", "other-1"], ["crop-0", None, None, "crop-3"]),
        (
            Feed(0, "face-*", 2, True),
            True,
            ["face-1-1", "face-2-0", "face-10-0"],
            ["face-2-0", "face-10-0", "face-1-1"],
        ),
    ],
)
def test_derived_files_come_by_their_names(
    make_step: Any, walked: Callable[..., Course], feed: Feed, fanned: bool, names: list[str], expected: Any
) -> None:
    first = make_step(0, "make", intake=FANNED if fanned else None)
    course = walked([first, make_step(1, "take", (0, None))], ({}, PASS, refs(*names)))
    intake = Intake(feeds=(feed,), fans_out=feed.depth > 0)
    assert course.lacks_input(make_step(1, "take", intake=intake)) is (expected is None)
    if expected is not None:
        assert named(course.taken(intake, NOWHERE)) == expected


def test_their_bytes_are_read_when_they_are_wanted(make_step: Any, make_plan: Callable[..., Plan]) -> None:
    asked: list[ArtifactRef] = []

    def read(ref: ArtifactRef) -> bytes:
        asked.append(ref)
        return b"abc"

    plan = make_plan(make_step(0, "stored"), make_step(1, "made"), make_step(2, "take", (0, None), (1, None)))
    stored = StoredResult(b"s", State.COMPLETED, PASS, b"{}", refs("old"))
    course = Course(plan, {0: (stored, Origin.REMOTE)})
    course.use(plan.steps[0], stored, Origin.REMOTE)
    course.add(Computed(1, PASS, b"{}", (ProducedArtifact("new", b"made", "image/png"),), None, None, 0, 0, False), {})
    feeds = (Feed(0, None, 0, True), Feed(1, None, 0, True))
    old, new = course.taken(Intake(feeds=feeds, many=True), Reach(read, 0))["items"]
    assert isinstance(old, DerivedFile)
    assert asked == []
    assert (old.data, old.data, new.data, new.ref) == (b"abc", b"abc", b"made", None)
    assert asked == [*refs("old")]
