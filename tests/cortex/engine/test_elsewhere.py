"""Files that wait for another run, with a clock of the test's own."""

from typing import Any

from cortex.engine.elsewhere import FIRST_S, LONGEST_S, Elsewhere
from cortex.engine.entry import Entry

FOUND: Any = None


def test_each_is_asked_about_ever_more_rarely() -> None:
    now = 0.0
    waiting = Elsewhere(lambda: now)
    entry = Entry(1, FOUND)
    waits = []
    for _ in range(8):
        waiting.put_off(entry)
        began = now
        while waiting.next() is None:
            now += FIRST_S / 2
        waits.append(now - began)
    assert waits[:3] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S]
    assert waits[-1] == LONGEST_S


def test_the_one_that_is_due_first_comes_first_and_none_before_its_time() -> None:
    now = 0.0
    waiting = Elsewhere(lambda: now)
    often, seldom, late = Entry(1, FOUND, put_off=3), Entry(2, FOUND), Entry(3, FOUND, put_off=9)
    for entry in (often, seldom, late):
        waiting.put_off(entry)
    assert waiting.next() is None
    now = LONGEST_S / 2
    assert (waiting.next(), waiting.next(), waiting.next()) == (seldom, often, None)
    assert (waiting.all(), waiting.all()) == ([late], [])
