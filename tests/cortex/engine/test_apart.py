import threading
from collections.abc import Iterator

import pytest
from programs import until

from cortex.engine.apart import Apart


@pytest.fixture
def apart() -> Iterator[Apart]:
    made = Apart("test", 2)
    yield made
    made.close(wait=True)


def test_one_that_takes_long_holds_up_no_other(apart: Apart) -> None:
    gate, done = threading.Event(), []
    apart.give(gate.wait)
    for number in range(50):
        apart.give(lambda number=number: done.append(number))
    until(lambda: len(done) == 50)
    assert done == list(range(50)), "in the order in which they were given"
    gate.set()


def test_so_many_are_at_work_at_a_time(apart: Apart) -> None:
    gate, begun = threading.Event(), []

    def work() -> None:
        begun.append(threading.get_ident())
        gate.wait()

    for _ in range(5):
        apart.give(work)
    until(lambda: len(begun) == 2)
    gate.set()
    until(lambda: len(begun) == 5)
    assert len(set(begun)) == 2


def test_closed_it_begins_with_nothing_and_waits_for_what_is_at_work() -> None:
    apart, gate, done = Apart("test", 1), threading.Event(), []
    begun = threading.Event()

    def work() -> None:
        begun.set()
        gate.wait()
        done.append("first")

    apart.give(work)
    begun.wait()
    apart.give(lambda: done.append("second"))
    apart.close(wait=False)
    apart.give(lambda: done.append("third"))
    gate.set()
    apart.close(wait=True)
    assert done == ["first"]


def test_work_that_fails_leaves_its_thread_at_work(apart: Apart, caplog: pytest.LogCaptureFixture) -> None:
    done: list[str] = []
    for _ in range(5):
        apart.give(lambda: [][0])
    apart.give(lambda: done.append("done"))
    until(lambda: bool(done))
    assert "IndexError" in caplog.text
