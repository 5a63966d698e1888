"""Who has which assets in hand, with a clock of the test's own."""

from loom.service.inhand import JUST_TAKEN_S, InHand
from loom.steering import LEASE_S
from loom.verbs import Taker

A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
ONE, TWO, OTHER_PLAN = Taker("one", b"p"), Taker("two", b"p"), Taker("three", b"q")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_one_has_no_other_gets_under_the_same_plan() -> None:
    in_hand = InHand(Clock())
    assert in_hand.take(ONE, [A, B]) == [True, True]
    assert in_hand.take(TWO, [B, C]) == [False, True]
    assert in_hand.take(ONE, [A, C]) == [True, False]
    assert in_hand.take(OTHER_PLAN, [A]) == [True]


def test_what_is_let_go_of_another_may_have() -> None:
    clock = Clock()
    in_hand = InHand(clock)
    in_hand.take(ONE, [A, B])
    in_hand.keep(TWO, [A])
    in_hand.keep(ONE, [B, C])
    assert in_hand.take(TWO, [A]) == [False], "it may have been said before it was taken"
    clock.now = JUST_TAKEN_S
    in_hand.keep(ONE, [B, C])
    assert in_hand.take(TWO, [A, B, C]) == [True, False, True]
    in_hand.keep(ONE, [])
    assert in_hand.take(TWO, [B]) == [True]


def test_who_is_not_heard_of_has_let_go_of_everything() -> None:
    clock = Clock()
    in_hand = InHand(clock)
    in_hand.take(ONE, [A])
    clock.now = LEASE_S - 1
    in_hand.keep(ONE, [A])
    clock.now = LEASE_S + 1
    assert in_hand.take(TWO, [A]) == [False]
    clock.now = 2 * LEASE_S
    assert in_hand.take(TWO, [A]) == [True]
    assert in_hand.take(ONE, [A]) == [False], "it is another's by now"
