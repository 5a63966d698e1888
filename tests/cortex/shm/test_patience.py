from __future__ import annotations

import math
import time

import pytest

from cortex.shm import waking
from cortex.shm.patience import Patience


@pytest.mark.parametrize("timeout", [-1, -0.001, -math.inf, math.nan])
def test_a_timeout_cannot_be_negative(timeout: float) -> None:
    with pytest.raises(ValueError, match="A timeout cannot be"):
        Patience(timeout)


def test_without_limit_one_sleeps_as_long_as_one_may() -> None:
    assert Patience(None).next_sleep() == Patience(math.inf).next_sleep() == waking.longest_sleep()


def test_never_longer_than_what_is_left() -> None:
    patience = Patience(0.02)
    assert 0 < patience.next_sleep() <= 0.02
    time.sleep(patience.next_sleep())
    time.sleep(0.001)
    assert patience.next_sleep() <= 0
    assert Patience(0).next_sleep() <= 0
    assert Patience(3600).next_sleep() == waking.longest_sleep()


def test_one_looks_some_times_before_one_sleeps() -> None:
    answers = iter([False, False, True, False])
    assert Patience(None).spin(lambda: next(answers))
    assert next(answers) is False


def test_one_stops_looking_by_and_by() -> None:
    looks: list[None] = []
    assert not Patience(None).spin(lambda: bool(looks.append(None)))
    assert 1 < len(looks) < 1000
