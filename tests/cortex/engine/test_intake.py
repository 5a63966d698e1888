import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from cortex.catalogue import load
from cortex.engine.asking import asked_anew
from cortex.engine.entry import Entry
from cortex.engine.intake import AHEAD, Intake
from cortex.engine.records import Answer, Identity, Item, Lane, Walked
from cortex.engine.usable import Usable
from cortex.sources.found import Found
from loom.graph.plan import AssetFilter
from loom.model import FileStat, Kind, Origin, State, StoredResult

WHY = ("CHANGED_WHILE_READ", "It changed.")


class Nothing:
    """Stored results that are given for every asset."""

    def __init__(self, usable: Usable | None = None) -> None:
        self.usable_for_all = usable or Usable(False, False, {})

    def known_sizes(self, sizes: Sequence[int]) -> set[int]:
        return set()

    def usable(self, assets: Sequence[Any], signatures: Sequence[bytes]) -> list[Usable]:
        return [self.usable_for_all for _ in assets]


def found(name: str = "file") -> Found:
    return Found(b"/media", name.encode(), name.encode(), FileStat(10, 1, 1, 1), None, False)


def result(signature: bytes) -> StoredResult:
    return StoredResult(signature, State.COMPLETED, None, b"{}")


class Desk:
    """An intake with a source at its end, and what came to be copies."""

    def __init__(self, lanes: tuple[Lane, ...], stored: Nothing, **more: Any) -> None:
        self.copies: list[Entry] = []
        self.intake = Intake(lanes, stored, max_in_flight=100, on_copy=self.copies.append, **more)
        self.items = self.intake.items()

    def offer(self, *names: str) -> list[Item]:
        self.intake.scan(iter([found(name) for name in names]), lambda: None)
        return [item for item in itertools.islice(self.items, len(names)) if item is not None]

    def ask(self, item: Item, content: str, lane: int = 0) -> Answer:
        identity = Identity(item.token, content.encode().ljust(32), 10, "text/plain", Kind.TEXT, lane)
        (answer,) = self.intake.answer([identity])
        return answer

    def entry(self, item: Item) -> Entry:
        return self.intake.entry(item.token)

    def ends(self) -> bool:
        """Whether nothing more comes: after the end of the source, the end."""
        return list(itertools.islice(self.items, 3)) in ([], [None])


@pytest.fixture
def lanes(make_plan: Callable[..., Any], make_step: Callable[..., Any]) -> tuple[Lane, ...]:
    first = make_plan(make_step(0, "a"), make_step(1, "b", (0, None)))
    second = make_plan(make_step(0, "a"), make_step(1, "c", (0, None)))
    return Lane(AssetFilter(), first), Lane(AssetFilter(), second)


@pytest.fixture
def signatures(lanes: tuple[Lane, ...]) -> dict[str, bytes]:
    return {step.node: step.signature for lane in lanes for step in lane.plan.steps}


@pytest.fixture
def desk(lanes: tuple[Lane, ...]) -> Desk:
    return Desk(lanes, Nothing())


def test_a_copy_waits_until_the_first_is_settled(desk: Desk) -> None:
    one, two, three = desk.offer("one", "two", "three")
    assert desk.ask(one, "x").walk
    assert not desk.ask(two, "x").walk
    assert desk.ask(three, "y").walk
    assert desk.intake.release(desk.entry(one)) == [desk.entry(two)]
    assert desk.intake.release(desk.entry(two)) == desk.intake.release(desk.entry(three)) == []
    assert desk.ends()


def test_asked_again_it_goes_on_as_before(desk: Desk) -> None:
    (one,) = desk.offer("one")
    assert desk.ask(one, "x").walk
    assert desk.ask(one, "x").walk


def due(desk: Desk) -> Item:
    return next(item for item in desk.items if item is not None)


def test_what_another_run_has_in_hand_is_asked_about_again_and_not_read(
    lanes: tuple[Lane, ...], signatures: dict[str, bytes]
) -> None:
    stored = Nothing(Usable(True, False, {signatures["a"]: (result(signatures["a"]), Origin.REMOTE)}, elsewhere=True))
    desk = Desk(lanes, stored)
    one, copy = desk.offer("one", "copy")
    assert not desk.ask(one, "x").walk
    assert not desk.ask(copy, "x").walk
    again = due(desk)
    assert (again.token, again.asset) == (one.token, b"x".ljust(32))
    assert not desk.ask(again, "x").walk
    assert desk.intake.in_hand() == [b"x".ljust(32)]
    stored.usable_for_all = stored.usable_for_all._replace(elsewhere=False)
    assert desk.ask(due(desk), "x").walk, "the other has let go of it"
    assert desk.intake.release(desk.entry(one)) == [desk.entry(copy)]


def test_what_another_run_has_in_hand_is_walked_where_nothing_is_left_to_compute(
    lanes: tuple[Lane, ...], signatures: dict[str, bytes]
) -> None:
    results = {signatures[node]: (result(signatures[node]), Origin.REMOTE) for node in "ab"}
    desk = Desk(lanes, Nothing(Usable(True, False, results, elsewhere=True)))
    one, two = desk.offer("one", "two")
    assert desk.ask(one, "x").walk
    assert not desk.ask(two, "y", lane=1).walk


def test_once_stopped_nothing_waits_for_another_run(lanes: tuple[Lane, ...]) -> None:
    desk = Desk(lanes, Nothing(Usable(False, False, {}, elsewhere=True)))
    one, copy, late = desk.offer("one", "copy", "late")
    for item in (one, copy):
        desk.ask(item, "x")
    desk.intake.stop()
    assert not desk.ask(late, "y").walk
    assert list(itertools.islice(desk.items, 5)) == []


def test_when_a_file_changes_its_first_copy_takes_its_place(desk: Desk) -> None:
    one, two, three = desk.offer("one", "two", "three")
    for item in (one, two, three):
        desk.ask(item, "x")
    desk.entry(one).announced.add(0)
    again, heir = desk.intake.again(desk.entry(one), WHY)
    assert (again.token, again.asset, heir.token) == (one.token, None, two.token)
    assert desk.ask(heir, "x").walk
    assert desk.entry(two).announced == {0}, "the bus was told of this content"
    assert desk.ask(again, "z").walk
    assert desk.intake.release(desk.entry(two)) == [desk.entry(three)]


def test_a_file_that_reads_differently_after_a_crash_leaves_nobody_waiting(desk: Desk) -> None:
    one, two = desk.offer("one", "two")
    desk.ask(one, "x")
    desk.ask(two, "x")
    assert desk.ask(one, "other").walk
    heir = next(desk.items)
    assert heir is not None
    assert heir.token == two.token
    assert desk.ask(heir, "x").walk
    for item in (one, two):
        assert desk.intake.release(desk.entry(item)) == []
    assert desk.ends()


def test_a_file_given_up_is_forgotten(desk: Desk) -> None:
    one, two = desk.offer("one", "two")
    desk.ask(one, "x")
    desk.ask(two, "x")
    (heir,) = desk.intake.give_up(desk.entry(one), WHY)
    assert heir.token == two.token
    assert desk.intake.find(one.token) is None
    assert desk.intake.give_up(desk.entry(two), WHY) == []


def test_what_was_begun_for_nothing_is_taken_up_by_the_next_of_the_same_content_and_lane(
    desk: Desk, lanes: tuple[Lane, ...]
) -> None:
    one, other, two = desk.offer("one", "other", "two")
    desk.ask(one, "x")
    desk.entry(one).announced.add(1)
    assert desk.intake.give_up(desk.entry(one), WHY) == []
    (((lane, asset), begun),) = desk.intake.begun().items()
    assert (lane, asset) == (0, b"x".ljust(32))
    (event,) = begun.ended(lanes[0].plan, asset)
    assert (event.node, event.asset, event.status, event.error) == ("b", asset, "FAILED", WHY)
    assert desk.ask(other, "x", 1).walk
    assert desk.entry(other).announced == set()
    desk.intake.release(desk.entry(other))
    assert desk.ask(two, "x", 0).walk
    assert desk.entry(two).announced == {1}
    assert desk.intake.begun() == {}


def test_what_was_begun_for_a_file_that_reads_differently_now_has_come_to_nothing(desk: Desk) -> None:
    (one,) = desk.offer("one")
    desk.ask(one, "x")
    desk.entry(one).announced.add(0)
    assert desk.ask(one, "other").walk
    assert desk.entry(one).announced == set()
    assert [begun.why[0] for begun in desk.intake.begun().values()] == ["CHANGED_WHILE_READ"]


def test_once_more_means_from_the_start(lanes: tuple[Lane, ...], signatures: dict[str, bytes]) -> None:
    stored = (result(signatures["a"]), Origin.REMOTE)
    desk = Desk(lanes, Nothing(Usable(True, False, {signatures["a"]: stored})))
    (one,) = desk.offer("one")
    first = desk.ask(one, "x")
    entry = desk.entry(one)
    walked = Walked(one.token, entry.identity, one.stat, True, (None, None), (), next_step=1)
    resumed = desk.intake.resume(entry, walked)
    assert resumed.resume is walked
    assert resumed.asset == b"x".ljust(32)
    assert desk.ask(resumed, "x") == Answer(one.token, walk=True)
    (again,) = desk.intake.again(entry, WHY)
    assert again.resume is None
    assert desk.ask(again, "x") == first == Answer(one.token, True, ((0, *stored),))


def test_uploads_are_those_of_the_lane(lanes: tuple[Lane, ...], signatures: dict[str, bytes]) -> None:
    uploads = tuple(map(result, signatures.values()))
    desk = Desk(lanes, Nothing(Usable(True, False, {}, uploads)))
    items = desk.offer("one", "two", "three")
    for lane, item in enumerate(items[:2]):
        desk.ask(item, f"content {lane}", lane)
    desk.ask(items[2], "for nobody", -1)
    named = {digest: node for node, digest in signatures.items()}
    kept = [[named[upload.signature] for upload in desk.entry(item).uploads] for item in items]
    assert kept == [["a", "b"], ["a", "c"], []]


def test_recompute_leaves_out_the_stored_results_of_a_node(
    lanes: tuple[Lane, ...], signatures: dict[str, bytes]
) -> None:
    stored = {digest: (result(digest), Origin.REMOTE) for digest in signatures.values()}
    for recompute, used in (({"b"}, [0]), ({"*"}, []), ({"c"}, [0, 1])):
        desk = Desk(lanes, Nothing(Usable(True, False, stored)), is_anew=asked_anew(recompute, load()))
        (one,) = desk.offer("one")
        assert [step for step, *_ in desk.ask(one, "x").stored] == used


def test_files_for_no_lane_hold_up_none_that_a_lane_is_for(desk: Desk) -> None:
    one, two, three = desk.offer("one", "two", "three")
    assert desk.ask(one, "x", -1).walk
    assert not desk.ask(two, "x", -1).walk
    assert desk.ask(three, "x", 1).walk
    assert desk.intake.release(desk.entry(one)) == []
    assert desk.intake.release(desk.entry(three)) == [desk.entry(two)]


def test_content_that_was_walked_in_this_run_is_a_copy(lanes: tuple[Lane, ...]) -> None:
    recorded = Desk(lanes, Nothing(Usable(False, True, {})))
    (one,) = recorded.offer("one")
    assert not recorded.ask(one, "x").walk
    assert [(copy.token, copy.known) for copy in recorded.copies] == [(one.token, True)]
    remembered = Desk(lanes, Nothing(), remember=True)
    one, two = remembered.offer("one", "two")
    assert remembered.ask(one, "x").walk
    remembered.intake.release(remembered.entry(one))
    assert not remembered.ask(two, "x").walk
    assert [(copy.token, copy.known) for copy in remembered.copies] == [(two.token, True)]


def test_no_more_is_handed_out_than_may_be_in_flight(lanes: tuple[Lane, ...]) -> None:
    intake = Intake(lanes, Nothing(), max_in_flight=2, on_copy=lambda _: None)
    intake.scan(iter([found("one"), found("two"), found("three")]), lambda: None)
    items = intake.items()
    first, second = next(items), next(items)
    assert first is not None
    assert second is not None
    assert next(items) is None
    intake.release(intake.entry(first.token))
    assert next(items) is not None


def test_stopped_it_waits_for_what_is_in_hand_and_takes_no_more(desk: Desk) -> None:
    desk.intake.scan(iter([found("one"), found("two")]), lambda: None)
    one = next(desk.items)
    assert one is not None
    desk.intake.stop()
    assert next(desk.items) is None
    desk.intake.release(desk.entry(one))
    assert next(desk.items, "end") == "end"


def test_aborted_it_waits_for_nothing(desk: Desk) -> None:
    desk.offer("one")
    desk.intake.abort()
    assert next(desk.items, "end") == "end"


def test_a_scan_that_is_far_ahead_ends_when_stopped(desk: Desk) -> None:
    ahead = threading.Event()

    def endless() -> Iterator[Found]:
        for number in itertools.count():
            if number == AHEAD:
                ahead.set()
            yield found(str(number))

    scan = threading.Thread(target=desk.intake.scan, args=(endless(), lambda: None))
    scan.start()
    assert ahead.wait(10)
    desk.intake.stop()
    scan.join(5)
    assert not scan.is_alive()


def test_what_breaks_the_source_is_kept_until_the_rest_is_done(desk: Desk) -> None:
    def broken() -> Iterator[Found]:
        yield found("one")
        raise OSError("gone")

    desk.intake.scan(broken(), lambda: None)
    one = next(desk.items)
    assert one is not None
    desk.intake.release(desk.entry(one))
    assert [item for item in itertools.islice(desk.items, 5) if item is not None] == []
    assert isinstance(desk.intake.error, OSError)
