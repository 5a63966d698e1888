"""When a file counts as settled, by a clock of the test's own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cortex.watching.settling import LEAST_WAIT_S, OPEN_WAIT_S, Settling, is_open_for_writing

PATH = b"/photos/one.jpg"
DAY = 86_400 * 10**9


class Clock:
    """Looks at one file as time goes by; `changed` is when it was written to last."""

    def __init__(self, settle_s: float = 2.0) -> None:
        self.open = False
        self.now = 100.0
        self.size, self.changed = 10, 0.0
        self.settling = Settling(settle_s, lambda _: self.open)

    def look(self, *, after: float = 0.0) -> float:
        self.now += after
        return self.settling.wait(
            PATH, self.size, DAY + int(self.changed * 1e9), now=self.now, wall_ns=DAY + int(self.now * 1e9)
        )

    def write(self, size: int) -> None:
        self.size, self.changed = size, self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_file_that_was_moved_here_is_settled_at_once(clock: Clock) -> None:
    clock.changed = clock.now - 2
    assert clock.look() == 0


def test_a_new_file_is_settled_when_it_has_been_left_alone_for_so_long(clock: Clock) -> None:
    clock.write(10)
    assert clock.look(after=0.5) == pytest.approx(1.5)
    assert clock.look(after=1.4) == pytest.approx(LEAST_WAIT_S)
    assert clock.look(after=0.1) == 0


def test_a_file_that_grows_is_waited_for(clock: Clock) -> None:
    for size in range(1, 20):
        clock.write(size)
        assert clock.look(after=1.9) > 0
    assert clock.look(after=2) == 0


def test_a_file_that_grows_while_its_time_stands_still_is_waited_for(clock: Clock) -> None:
    clock.write(1)
    clock.look()
    for size in range(2, 6):
        clock.size = size
        assert clock.look(after=3) == pytest.approx(2)
    assert clock.look(after=2) == 0


def test_a_copy_that_is_given_the_time_of_its_original_is_looked_at_twice(clock: Clock) -> None:
    clock.write(10)
    clock.look()
    clock.changed = -1000.0
    assert clock.look(after=1) == pytest.approx(2)
    assert clock.look(after=2) == 0


def test_a_time_that_lies_in_the_future_says_nothing(clock: Clock) -> None:
    clock.changed = clock.now + 5000
    assert clock.look() == pytest.approx(2)
    assert clock.look(after=1.5) == pytest.approx(0.5)
    assert clock.look(after=0.5) == 0


def test_a_file_that_is_open_for_writing_is_waited_for_but_not_for_ever(clock: Clock) -> None:
    clock.open = True
    clock.changed = clock.now - 100
    for _ in range(5):
        assert clock.look(after=2) >= 1
    clock.open = False
    assert clock.look(after=2) == 0
    clock.open = True
    clock.changed = clock.now - OPEN_WAIT_S
    assert clock.look() == 0


def test_without_a_time_to_settle_a_file_is_taken_as_it_is() -> None:
    clock = Clock(0.0)
    clock.write(1)
    assert clock.look() == 0


def test_one_file_does_not_delay_another(clock: Clock) -> None:
    clock.write(1)
    assert clock.look() > 0
    assert clock.settling.wait(b"/photos/two.jpg", 1, 0, now=clock.now, wall_ns=DAY) == 0


def test_what_is_gone_is_forgotten(clock: Clock) -> None:
    clock.write(10)
    clock.look()
    clock.settling.forget(PATH)
    clock.changed = -1000.0
    assert clock.look(after=1) == 0


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Path]:
    """A file that another process holds open for writing."""
    path = tmp_path / "growing"
    code = f"import sys; file = open({str(path)!r}, 'w'); print(flush=True); sys.stdin.read()"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield path
    process.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_whether_somebody_writes_is_told_by_the_system(writer: Path, tmp_path: Path) -> None:
    assert is_open_for_writing(os.fsencode(writer))
    read = tmp_path / "read"
    read.write_text("all of it")
    with read.open():
        assert not is_open_for_writing(os.fsencode(read))
    assert not is_open_for_writing(os.fsencode(tmp_path / "not there"))
    read.write_text("nobody is kept from writing by the question")
