import threading
import time

import pytest

from cortex.engine.deadline import Deadlines, Lease
from loom.errors import LoomError


def test_it_gives_what_the_work_gives_or_raises() -> None:
    deadlines = Deadlines()
    assert deadlines.within(Lease(5), lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        deadlines.within(Lease(5), lambda: 1 // 0)


def test_work_that_hangs_is_left_alone() -> None:
    gate = threading.Event()
    with pytest.raises(LoomError, match=r"longer than the 0\.01 s") as caught:
        Deadlines().within(Lease(0.01), gate.wait)
    assert caught.value.code == "TIMED_OUT"
    gate.set()


def test_nobody_waits_once_it_is_given_up() -> None:
    gate, deadlines = threading.Event(), Deadlines()
    deadlines.give_up()
    with pytest.raises(LoomError):
        deadlines.within(Lease(3600), gate.wait)
    gate.set()


def test_work_that_says_how_far_it_is_may_take_longer() -> None:
    lease = Lease(1.0)

    def work() -> str:
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            lease.renew(0.5)
            time.sleep(0.01)
        return "done"

    assert Deadlines().within(lease, work) == "done"
