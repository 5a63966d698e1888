import sys
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from cortex.engine.beside import Beside, at_once
from cortex.engine.entry import Entry
from cortex.engine.records import Identity, Lane, Walked
from cortex.engine.reporting import Finished
from cortex.engine.tally import LaneRun, WouldWrite
from cortex.node import MediaNode, NodeContext, NodeOptions
from cortex.sources.found import Found
from loom.errors import LoomError
from loom.graph.plan import AssetFilter
from loom.model import FileStat, Kind, State
from loom.verbs import CopyAt


class Sink(MediaNode[NodeOptions]):
    """Does as its id says."""

    operator = "test.sink"
    capabilities = frozenset({"effect"})

    def open(self) -> None:
        if self.id == "unready":
            raise ValueError("no model")

    def is_processable(self, media: Any) -> bool:
        if self.id == "curious":
            media.text()
        return True

    def compute(self, ctx: NodeContext, media: Any) -> None:
        ctx.effect("collect", lambda: ctx.collect("some"))


class Post(Sink):
    capabilities = frozenset({"effect", "network"})


class Store(Sink):
    capabilities = frozenset({"database"})

    def compute(self, ctx: NodeContext, media: Any) -> None:
        """Nothing."""


class Long(Post):
    """Takes longer than a second, and says how far it is if its id is so."""

    def compute(self, ctx: NodeContext, media: Any) -> None:
        for part in range(100):
            if self.id == "telling":
                ctx.progress(part / 100)
            time.sleep(0.015)


class Asks(Sink):
    """Asks Loom's library and proposes, within an effect or (`rash`) not."""

    capabilities = frozenset({"database"})

    def compute(self, ctx: NodeContext, media: Any) -> None:
        found = [(copy.path, 0) for copy in ctx.library.copies(b"asset")]
        if self.id == "rash":
            ctx.library.propose("exact", found)
        ctx.effect("propose", lambda: ctx.library.propose("exact", found))


class Nosy(Asks):
    capabilities = frozenset({"effect"})


class Shelf:
    """A library that remembers what was proposed."""

    def __init__(self) -> None:
        self.proposed: list[Any] = []

    def copies(self, asset: bytes) -> list[CopyAt]:
        return [CopyAt("here", asset, 1)]

    def propose(self, kind: str, members: Any) -> None:
        self.proposed.append((kind, members))


class Shy(Sink):
    """Works at the third attempt."""

    asked = 0

    def compute(self, ctx: NodeContext, media: Any) -> None:
        self.asked += 1
        if self.asked < 3:
            raise LoomError("TRY_AGAIN")


class Ends(Sink):
    """Ends its process where its id says."""

    def is_processable(self, media: Any) -> bool:
        return True if self.id != "asked" else sys.exit(3)

    def compute(self, ctx: NodeContext, media: Any) -> None:
        ctx.effect("nothing", lambda: sys.exit(3) if self.id == "effect" else None)
        sys.exit(3)

    def close(self) -> None:
        sys.exit(3)


class Operators:
    def create(self, operator: str, config: Any, node: str) -> MediaNode[Any]:
        made = {one.__name__.lower(): one for one in (Sink, Post, Store, Shy, Ends, Asks, Nosy, Long)}
        return made[operator](id=node)


Steps = Callable[..., Any]


@pytest.fixture
def carry_on(make_plan: Steps, make_step: Steps) -> Callable[..., Finished]:
    """Carries an asset on from a step through steps of these operators, `operator:node`."""

    def carry(
        *steps: str,
        dry_run: bool = False,
        would: WouldWrite | None = None,
        has_loom: bool = True,
        acknowledged: Callable[[], bool] = at_once,
        retries: int = 0,
        timeout_s: float | None = None,
        goes_on: bool = True,
        limits: Mapping[str, int] = MappingProxyType({}),
        library: Any = None,
    ):
        plan = make_plan(
            *(
                make_step(
                    index,
                    node,
                    (index - 1, None),
                    operator=operator,
                    sandboxed=False,
                    retries=retries,
                    timeout_s=timeout_s,
                )
                for index, (operator, node) in enumerate(step.split(":") for step in steps)
            )
        )
        lane = Lane(AssetFilter(), msgspec.structs.replace(plan, dry_run=dry_run))
        beside = Beside(
            (lane,),
            Operators(),
            has_loom=has_loom,
            would_write=would or WouldWrite(),
            acknowledged=acknowledged,
            library=library,
        )
        beside.open()
        beside.turns.limit(limits)
        assert beside.turns.take(("sink",))
        identity = Identity(1, b"x" * 32, 10, "text/plain", Kind.TEXT, 0)
        entry = Entry(1, Found(b"/m", b"f", b"f", FileStat(10, 1, 1, 1), None, False), identity=identity)
        walked = Walked(1, identity, None, True, (None,) * len(steps), ())
        finished = beside.carry_on(entry, LaneRun(lane, uuid4(), 0, {}), walked)
        while goes_on and finished.wait_s:
            finished = beside.carry_on(entry, finished.run, finished.walked)
        return finished

    return carry


def codes(finished: Finished) -> list[str | None]:
    return [computed.error_code for computed in finished.walked.computed]


def test_it_stops_before_a_step_that_belongs_elsewhere(carry_on: Callable[..., Finished]) -> None:
    for other in ("post:o", "store:o"):
        finished = carry_on("sink:a", "sink:b", other, "sink:c")
        assert (finished.walked.next_step, finished.done) == (2, False)
        assert finished.entry.collections == ["some", "some"]


def test_the_first_step_is_taken_wherever_it_belongs(carry_on: Callable[..., Finished]) -> None:
    assert carry_on("store:a").done
    assert carry_on("post:a", "post:b").done


def test_what_may_take_long_goes_on_elsewhere(carry_on: Callable[..., Finished]) -> None:
    """Neither the thread that stores may be held up by an effect, nor one that waits for the network."""
    for first in ("store:a", "post:a"):
        finished = carry_on(first, "sink:b")
        assert (finished.walked.next_step, finished.done) == (1, False)


def test_who_is_reached_after_storing_may_ask_and_propose(carry_on: Callable[..., Finished]) -> None:
    shelf, would = Shelf(), WouldWrite()
    assert codes(carry_on("asks:a", library=shelf)) == [None]
    assert shelf.proposed == [("exact", [(b"asset", 0)])]
    assert codes(carry_on("asks:a", library=shelf, dry_run=True, would=would)) == [None]
    assert codes(carry_on("asks:rash", library=shelf, dry_run=True)) == ["OPERATOR_FAILED"]
    assert codes(carry_on("nosy:a", library=shelf)) == ["OPERATOR_FAILED"]
    assert codes(carry_on("asks:a", has_loom=False)) == ["LOOM_UNREACHABLE"]
    assert (len(shelf.proposed), would.effects) == (1, ["propose"])


def test_an_operator_that_asks_for_the_bytes_fails_alone(carry_on: Callable[..., Finished]) -> None:
    finished = carry_on("sink:curious")
    assert codes(finished) == ["OPERATOR_FAILED"]
    assert [outcome.state for outcome in finished.walked.outcomes if outcome] == [State.FAILED]


def test_an_operator_that_ends_its_process_fails_alone(carry_on: Callable[..., Finished]) -> None:
    assert codes(carry_on("ends:asked")) == ["OPERATOR_FAILED"]
    assert codes(carry_on("ends:at-work")) == ["OPERATOR_FAILED"]
    assert codes(carry_on("ends:effect")) == ["EFFECT_FAILED"]


def test_an_operator_that_does_not_end_keeps_the_run_from_nothing(
    make_plan: Steps, make_step: Steps, caplog: pytest.LogCaptureFixture
) -> None:
    lane = Lane(AssetFilter(), make_plan(make_step(0, "a", operator="ends", sandboxed=False)))
    Beside((lane,), Operators(), has_loom=True, would_write=WouldWrite()).close()
    assert "does not end: SystemExit: 3" in caplog.text


def test_progress_renews_the_time_of_a_step_that_waits_for_the_network(carry_on: Callable[..., Finished]) -> None:
    assert codes(carry_on("long:silent", timeout_s=0.3)) == ["TIMED_OUT"]
    assert codes(carry_on("long:telling", timeout_s=0.3)) == [None]


def test_without_loom_nothing_is_collected_or_stored(carry_on: Callable[..., Finished]) -> None:
    assert codes(carry_on("sink:a", has_loom=False)) == ["LOOM_UNREACHABLE"]
    assert codes(carry_on("store:a", has_loom=False)) == ["LOOM_UNREACHABLE"]


def test_a_dry_run_lists_effects(carry_on: Callable[..., Finished]) -> None:
    would = WouldWrite()
    finished = carry_on("sink:a", dry_run=True, would=would)
    assert (would.effects, finished.entry.collections) == (["collect"], [])


def test_a_node_that_does_not_get_ready_says_why(carry_on: Callable[..., Finished]) -> None:
    with pytest.raises(LoomError, match="no model"):
        carry_on("sink:unready")


def test_between_two_attempts_it_is_left(carry_on: Callable[..., Finished]) -> None:
    waits = carry_on("sink:a", "shy:b", "sink:c", retries=5, goes_on=False)
    assert (waits.walked.next_step, waits.done) == (1, False)
    assert waits.wait_s > 0
    finished = carry_on("sink:a", "shy:b", "sink:c", retries=5)
    assert finished.done
    assert [computed.attempts for computed in finished.walked.computed] == [1, 3, 1]
    assert codes(carry_on("shy:b", retries=1)) == ["TRY_AGAIN"]


def test_a_step_whose_turn_has_not_come_is_left_and_one_that_is_done_gives_its_turn(
    carry_on: Callable[..., Finished],
) -> None:
    waits = carry_on("shy:a", "sink:b", retries=5, limits={"sink": 1, "effect": 1})
    assert (waits.walked.next_step, waits.done, waits.turn, waits.wait_s) == (1, False, ("effect", "sink"), 0)
    assert waits.entry.turn == ()
    assert carry_on("shy:a", "sink:b", retries=5, limits={"sink": 2, "effect": 1}).done


def test_between_two_attempts_it_keeps_its_turn(carry_on: Callable[..., Finished]) -> None:
    waits = carry_on("shy:b", retries=5, goes_on=False)
    assert (waits.entry.turn, waits.turn) == (("effect", "shy"), ())


def test_what_must_be_stored_before_it_waits_for_the_acknowledgement(carry_on: Callable[..., Finished]) -> None:
    waits = carry_on("store:a", acknowledged=lambda: False, goes_on=False)
    assert (waits.walked.next_step, waits.done) == (0, False)
    assert waits.wait_s > 0
    said = iter([False, False, True])
    assert codes(carry_on("store:a", acknowledged=lambda: next(said))) == [None]


def test_a_loom_that_stays_away_fails_it_and_what_loom_refused_breaks_the_run(
    carry_on: Callable[..., Finished],
) -> None:
    def raises(code: str) -> Callable[[], bool]:
        def acknowledged() -> bool:
            raise LoomError(code)

        return acknowledged

    finished = carry_on("store:a", acknowledged=raises("LOOM_UNREACHABLE"))
    assert codes(finished) == ["LOOM_UNREACHABLE"]
    assert finished.walked.computed[0].retryable
    with pytest.raises(LoomError):
        carry_on("store:a", acknowledged=raises("REQUEST_INVALID"))
