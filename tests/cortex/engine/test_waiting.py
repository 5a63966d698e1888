from __future__ import annotations

from cortex.engine.elsewhere import Elsewhere
from cortex.engine.entry import Entry
from cortex.engine.waiting import AFTER_S, Waiting, Waits
from cortex.sources.found import Found
from loom.model import FileStat


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_what_many_files_wait_for_comes_first() -> None:
    clock = Clock()
    waiting = Waiting(clock)
    waiting.begin(1, Waits.AGAIN, "webhook")
    for token in range(2, 5):
        waiting.begin(token, Waits.TURN, "network")
    assert waiting.reasons() == (), "a moment is no reason"
    clock.now += AFTER_S
    assert waiting.reasons() == ("3 files wait for their turn at network", "1 file waits to be tried again at webhook")


def test_who_waits_for_the_same_again_waits_since_it_began() -> None:
    clock = Clock()
    waiting = Waiting(clock)
    waiting.begin(1, Waits.AT, "caption")
    clock.now += AFTER_S
    waiting.begin(1, Waits.AT, "caption")
    assert waiting.reasons() == ("1 file is at caption",)
    waiting.begin(1, Waits.LOOM, "stored")
    assert waiting.reasons() == ()
    waiting.end(1)
    clock.now += AFTER_S
    assert waiting.reasons() == ()


def test_files_in_the_hands_of_another_run() -> None:
    elsewhere = Elsewhere(Clock())
    entry = Entry(1, Found(b"/there", b"one.jpg", b"one.jpg", FileStat(1, 1, 1, 1), None, False))
    elsewhere.put_off(entry)
    assert elsewhere.reasons() == ()
    entry.put_off = 5
    assert elsewhere.reasons() == ("1 file is in the hands of another run",)
