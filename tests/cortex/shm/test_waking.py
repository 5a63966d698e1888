from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import until
from ringplayers import Aside

from cortex.shm import waking
from cortex.shm.errors import ShmError
from cortex.shm.segment import Segment


@pytest.fixture
def word() -> Iterator[Segment]:
    segment = Segment("word", 4096)
    yield segment
    segment.close()


def put(word: Segment, value: int) -> None:
    word.memory[:8] = struct.pack("=Q", value)


def sleep(word: Segment, value: int, seconds: float = 30.0) -> float:
    began = time.monotonic()
    waking.sleep_while(word.address, value, seconds)
    return time.monotonic() - began


def sleepers() -> int:
    """The threads of this process that wait for a word to change, at an address of their own."""
    found = 0
    for task in Path("/proc/self/task").iterdir():
        call = (task / "syscall").read_text().split()
        found += call[0] == str(waking.kernel()._futex) and call[2] == "0x0"
    return found


def test_who_sees_another_value_does_not_sleep(word: Segment) -> None:
    put(word, 5)
    assert sleep(word, 4) < 15


def test_who_is_not_woken_wakes_by_itself(word: Segment) -> None:
    assert sleep(word, 0, 0.02) >= 0.019


def test_all_who_sleep_are_woken(word: Segment, aside: Aside) -> None:
    before = sleepers()
    asleep = [aside(sleep, word, 0) for _ in range(3)]
    until(lambda: sleepers() == before + 3)
    waking.wake(word.address)
    assert all(one.result(15) is not None for one in asleep)


def test_who_looks_elsewhere_sleeps_on(word: Segment, aside: Aside) -> None:
    before = sleepers()
    asleep = aside(sleep, word, 0, 0.2)
    until(lambda: sleepers() == before + 1)
    waking.wake(word.address + 8)
    assert sleepers() == before + 1
    assert asleep.result() >= 0.19


@pytest.mark.parametrize("value", [2**31, 2**32 - 1, 2**32, 2**32 + 7, 2**63])
def test_large_values_are_compared_by_their_lower_half(word: Segment, value: int) -> None:
    put(word, value)
    assert sleep(word, value, 0.02) >= 0.019
    put(word, value + 1)
    assert sleep(word, value) < 15


def test_a_wake_up_across_processes(word: Segment, aside: Aside) -> None:
    """The kernel finds sleepers by the memory, not by the address at which a process sees it."""
    before = sleepers()
    asleep = aside(sleep, word, 0)
    until(lambda: sleepers() == before + 1)
    other = Segment.__new__(Segment)
    other._open("word", os.dup(word.descriptor), word.size)
    assert other.address != word.address
    waking.wake(other.address)
    assert asleep.result(15) is not None
    other.close()


def test_the_barrier_reaches_this_process() -> None:
    """What was not registered for it, the kernel would leave out without a word; the command is known to it then."""
    waking.prepare()
    assert waking.kernel().has_barrier
    number = {"x86_64": 324}.get(platform.machine(), 283)
    call = ctypes.CDLL(None, use_errno=True).syscall
    assert call(number, 0, 0, 0) & 1 << 1
    waking.see_each_other()


def test_without_a_barrier_sleep_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    assert waking.longest_sleep() == 0.1
    monkeypatch.setitem(waking._NUMBERS, platform.machine(), (waking.kernel()._futex, 9999))
    without = waking._Kernel()
    assert ctypes.get_errno() == errno.ENOSYS
    assert not without.has_barrier
    monkeypatch.setattr(waking, "kernel", lambda: without)
    assert waking.longest_sleep() <= 0.01
    waking.see_each_other()


@pytest.mark.parametrize(("platform_name", "machine"), [("darwin", "arm64"), ("linux", "vax"), ("win32", "AMD64")])
def test_elsewhere_a_sentence_says_what_is_needed(
    monkeypatch: pytest.MonkeyPatch, platform_name: str, machine: str
) -> None:
    monkeypatch.setattr("sys.platform", platform_name)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(ShmError, match="need Linux"):
        waking._Kernel()


def test_order_can_be_kept_by_many_at_once(aside: Aside) -> None:
    kept = [aside(lambda: [waking.keep_order() for _ in range(200)]) for _ in range(4)]
    assert all(len(one.result(30)) == 200 for one in kept)
