from __future__ import annotations

import math

import pytest

from cortex.media.track import Clock


def test_times_count_from_the_start_of_the_file() -> None:
    clock = Clock(10.0)
    assert [clock.at(told, 0.0) for told in (10.0, 10.5, 12.0)] == [0.0, 0.5, 2.0]


def test_times_go_on_where_a_stream_jumps_back() -> None:
    """Two recordings joined: the second counts from the start again."""
    clock = Clock(0.0)
    assert [clock.at(told, expected) for told, expected in ((5.0, 0.0), (0.0, 5.04), (0.5, 5.08))] == [5.0, 5.04, 5.54]


def test_times_never_run_backwards() -> None:
    clock = Clock(0.0)
    assert [clock.at(told, 0.0) for told in (1.0, 0.9, 1.1)] == [1.0, 1.0, 1.1]


@pytest.mark.parametrize("told", [None, math.nan, math.inf])
def test_times_that_are_not_told(told: float | None) -> None:
    assert Clock(3.0).at(told, 0.25) == 0.25
