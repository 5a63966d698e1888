"""Cron expressions; the clock on the wall is the test's own."""

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from cortex.watching.schedule import Schedule
from loom.errors import LoomError

NIGHTLY = "0 3 * * *"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def due(expressions: list[str], *times: str) -> list[bool]:
    """Whether it is due at these times, from the first."""
    schedule = Schedule(expressions, at(times[0]))
    return [schedule.is_due(at(time)) for time in times]


def test_it_is_due_once_when_its_time_has_come() -> None:
    times = (
        "2026-11-21 10:00",
        "2026-11-22 02:59:59",
        "2026-11-22 03:00:04",
        "2026-11-22 03:00:09",
        "2026-11-23 03:00",
    )
    assert due([NIGHTLY], *times) == [False, False, True, False, True]


def test_nothing_is_due_at_the_start() -> None:
    """For then all is walked anyway."""
    assert due([NIGHTLY], "2026-11-22 03:00:00", "2026-11-22 03:00:05") == [False, False]


def test_several_expressions() -> None:
    times = ("2026-11-21 10:00", "2026-11-21 12:30", "2026-11-21 13:00", "2026-11-22 03:00", "2026-11-22 12:30")
    assert due([NIGHTLY, "30 12 * * sat"], *times) == [False, True, False, True, False]


def test_expressions_in_the_environment_are_split_at_their_spaces() -> None:
    times = ("2026-11-21 10:00", "2026-11-21 12:30", "2026-11-22 03:00")
    assert due(["0", "3", "*", "*", "*", "30", "12", "*", "*", "sat"], *times) == [False, True, True]


def test_what_was_missed_is_made_up_for_once() -> None:
    """The machine slept, or its clock was set forward."""
    assert due([NIGHTLY], "2026-11-21 10:00", "2026-11-25 09:00", "2026-11-25 09:05", "2026-11-26 03:00") == [
        *(False, True, False, True)
    ]


def test_a_clock_that_is_set_back_is_no_reason_to_wait() -> None:
    times = ("2030-01-01 10:00", "2026-11-21 10:00", "2026-11-22 03:00", "2026-11-22 03:01")
    assert due([NIGHTLY], *times) == [False, False, True, False]


def test_a_clock_that_is_put_right_by_a_little_makes_nothing_due_twice() -> None:
    assert due([NIGHTLY], "2026-11-22 02:00", "2026-11-22 03:00:01", "2026-11-22 02:59:58", "2026-11-22 03:00:03") == [
        *(False, True, False, False)
    ]


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-06-01"])
@pytest.mark.parametrize("hour", [1, 2, 3])
@pytest.mark.usefixtures("berlin")
def test_daylight_saving_neither_loses_nor_doubles_a_walk(day: str, hour: int) -> None:
    """On one of these days there is no hour from two to three, on another there are two of them."""
    began = at(f"{day} 00:00").timestamp()
    schedule = Schedule([f"30 {hour} * * *"], datetime.fromtimestamp(began))
    seconds = int((at(day) + timedelta(days=1)).timestamp() - began)
    times = [datetime.fromtimestamp(began + second) for second in range(0, seconds, 5)]
    walked = [now for now in times if schedule.is_due(now)]
    assert len(walked) == 1
    assert walked[0] == at(f"{day} 03:00" if (day, hour) == ("2026-03-29", 2) else f"{day} 0{hour}:30")
    assert len(times) * 5 == {"2026-03-29": 23, "2026-10-25": 25, "2026-06-01": 24}[day] * 3600
    assert os.environ["TZ"].startswith("CET")


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "five fields"),
        ("0 3 * *", "five fields"),
        ("0 0 3 * * *", "five fields"),
        ("@daily", "five fields"),
        ("61 3 * * *", "bad minute"),
        ("0 3 * * someday", "bad day-of-week"),
        ("0 0 31 2 *", "bad day-of-month"),
        ("0 0 */31 * MON#5", "never comes"),
    ],
)
def test_what_is_no_expression(expression: str, why: str) -> None:
    with pytest.raises(LoomError, match=why) as raised:
        Schedule([NIGHTLY, expression], at("2026-11-21 10:00"))
    assert raised.value.code == "USAGE"
    assert repr(expression) in raised.value.message
