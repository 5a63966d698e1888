import threading

import pytest

from cortex.engine.deadline import Deadlines
from loom.errors import LoomError


def test_it_gives_what_the_work_gives_or_raises() -> None:
    deadlines = Deadlines()
    assert deadlines.within(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        deadlines.within(5, lambda: 1 // 0)


def test_work_that_hangs_is_left_alone() -> None:
    gate = threading.Event()
    with pytest.raises(LoomError, match=r"longer than the 0\.01 s") as caught:
        Deadlines().within(0.01, gate.wait)
    assert caught.value.code == "TIMED_OUT"
    gate.set()


def test_nobody_waits_once_it_is_given_up() -> None:
    gate, deadlines = threading.Event(), Deadlines()
    deadlines.give_up()
    with pytest.raises(LoomError):
        deadlines.within(3600, gate.wait)
    gate.set()
