"""Sleeping until another process has changed a word of shared memory, and waking who sleeps.

Futexes (`man 2 futex`): the kernel puts a process to sleep only if the word still has the value it was seen with. Who
changes the word looks at a flag in shared memory first, so that it costs nothing when nobody sleeps. The sleeper sets
the flag and has the kernel make every other processor see it (`man 2 membarrier`) before it looks at the word for the
last time; without that, either could miss what the other wrote. Where the kernel refuses the barrier, sleep is cut
into short pieces instead.
"""

from __future__ import annotations

import ctypes
import platform
import sys
import threading
from functools import cache

from cortex.shm.errors import ShmError

_FUTEX_WAIT = 0
_FUTEX_WAKE = 1
_EVERYBODY = 2**31 - 1
_BARRIER = 1 << 1
_REGISTER = 1 << 2
_NUMBERS = {"x86_64": (202, 324), "aarch64": (98, 283), "riscv64": (98, 283)}
"""The system calls `futex` and `membarrier` by machine."""

_SLICE_S = 0.1
"""The longest sleep at a time: also who dies without a word is noticed."""

_UNSURE_SLICE_S = 0.004
"""The same where a wake-up could be missed."""

STORES_STAY_IN_ORDER = platform.machine() in ("x86_64", "AMD64", "i686")
"""Whether processors see each other's stores in the order in which they were made, and load in order."""

_first, _second = threading.Lock(), threading.Lock()


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Kernel:
    """The two system calls. Raises `ShmError` where there are none."""

    def __init__(self) -> None:
        numbers = _NUMBERS.get(platform.machine())
        if not sys.platform.startswith("linux") or numbers is None:
            raise ShmError("Process pipelines over shared memory need Linux on x86-64, arm64 or riscv64.")
        self._futex, self._membarrier = numbers
        self._call = ctypes.CDLL(None, use_errno=True).syscall
        self._call.restype = ctypes.c_long
        self._call.argtypes = [ctypes.c_long] * 2 + [ctypes.c_long, ctypes.c_long, ctypes.c_void_p]
        self.has_barrier = self._call(self._membarrier, _REGISTER, 0, 0, None) == 0

    def wait(self, address: int, value: int, seconds: float) -> None:
        whole = int(seconds)
        timeout = _Timespec(whole, int((seconds - whole) * 1e9))
        self._call(self._futex, address, _FUTEX_WAIT, value, ctypes.addressof(timeout))

    def wake(self, address: int) -> None:
        self._call(self._futex, address, _FUTEX_WAKE, _EVERYBODY, None)

    def barrier(self) -> None:
        self._call(self._membarrier, _BARRIER, 0, 0, None)


@cache
def kernel() -> _Kernel:
    return _Kernel()


def prepare() -> None:
    """Once in every process before it shares a ring: barriers of others reach only who has registered."""
    kernel()


def longest_sleep() -> float:
    return _SLICE_S if kernel().has_barrier else _UNSURE_SLICE_S


def sleep_while(address: int, value: int, seconds: float) -> None:
    """Sleeps while the 32 bits at the address are `value`, until it is woken, or for that long."""
    kernel().wait(address, value & 0xFFFFFFFF, seconds)


def wake(address: int) -> None:
    """Wakes all who sleep at the address."""
    kernel().wake(address)


def see_each_other() -> None:
    """What was written before is seen by all, and what all wrote before is seen after."""
    kernel().barrier()


def keep_order() -> None:
    """What was written before is seen by others no later than what is written after, and what is read after is no
    older than what was read before. Two locks one after the other are the weakest thing in Python that promises it; on
    processors that keep this order anyway it is left out by the callers."""
    with _first:
        pass
    with _second:
        pass
