"""The shared page of a worker: which file, lane, step and phase it is at, and until when it may be.

The worker writes, the parent and the other workers read, without locks; only the mark that bids the worker halt is the
parent's. When a worker dies, what stands on its page names the culprit. Behind the pages the parent writes how many
workers may be at a time where that is limited.
"""

from __future__ import annotations

import fcntl
import math
import mmap
import os
import resource
import signal
import struct
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

IDLE, READING, WALKING, WAITING = 0, 1, 2, 3
"""What a worker does with the file on its page; WAITING for its turn, it does nothing."""

NOBODY = -1

PHASE_BYTES = 32
_PAGE = struct.Struct(f"8d{PHASE_BYTES}s")
_MARK = struct.Struct(f"6d16x{PHASE_BYTES}s")
_WAIT = struct.Struct(f"6d8xd{PHASE_BYTES}s")
_SEEN = struct.Struct("8x5d8xd")
_NUMBER = struct.Struct("d")
_DEADLINE_AT, _FRACTION_AT, _PHASE_AT = 24, 48, 64
_HALT_AT = _PAGE.size

_LIMITS_BYTES = 1 << 16
NO_LIMIT = 0
_MOST = (1 << 16) - 1
MOST_LIMITS = (_LIMITS_BYTES >> 1) - 1
"""For how many names there is room."""
_SLACK_S = 2.0
_LONGEST_S = 1e8


class Page(NamedTuple):
    """What a worker's page says. `deadline` and `since` are of the monotonic clock, 0 when nothing is at work;
    `fraction` is what the operator said of its progress; `waits_for` is the number of the name for which its turn has
    not come, 0 if it does not wait."""

    token: int
    lane: int
    step: int
    deadline: float
    since: float
    stage: int
    fraction: float
    phase: str
    waits_for: int = 0


class Seen(NamedTuple):
    """What a worker sees of another: where it is, until when it may be, since when it is, and for which name it
    waits."""

    lane: float
    step: float
    deadline: float
    since: float
    stage: float
    waits_for: float


class Board:
    """The parent's side: one page for each of `slots` workers, in memory shared through the descriptor `fd`."""

    def __init__(self, slots: int) -> None:
        self._pages = slots * mmap.ALLOCATIONGRANULARITY
        self.fd = _anonymous_file(self._pages + _LIMITS_BYTES)
        self._memory = mmap.mmap(self.fd, self._pages + _LIMITS_BYTES)
        self._numbers: memoryview[int] = memoryview(self._memory)[self._pages :].cast("H")

    def read(self, slot: int) -> Page:
        token, lane, step, deadline, since, stage, fraction, waits_for, phase = _PAGE.unpack_from(
            self._memory, slot * mmap.ALLOCATIONGRANULARITY
        )
        name = phase.rstrip(b"\0").decode(errors="replace")
        at = _whole(token), _whole(lane), _whole(step)
        return Page(*at, deadline, since, _whole(stage), fraction, name, _whole(waits_for))

    def clear(self, slot: int) -> None:
        """Makes the page ready for a new worker."""
        _MARK.pack_into(self._memory, slot * mmap.ALLOCATIONGRANULARITY, NOBODY, -1, -1, 0.0, 0.0, IDLE, b"")

    def halt(self, halt: bool) -> None:
        """Bids all workers, those to come included, begin with no step from now on; or lifts that."""
        for start in range(0, self._pages, mmap.ALLOCATIONGRANULARITY):
            self._memory[start + _HALT_AT] = halt

    def limit(self, numbers: Sequence[int]) -> None:
        """How many workers may be at a time at what the first, second, ... name stands for; `NO_LIMIT` for any number.
        Holds at once, for those that begin from now on."""
        for name, number in enumerate(numbers[:MOST_LIMITS], start=1):
            self._numbers[name] = min(number, _MOST)
        self._numbers[0] = any(numbers)

    def close(self) -> None:
        self._numbers.release()
        self._memory.close()
        os.close(self.fd)


class BoardSlot:
    """The worker's side of its own page. Also arms the timers that end the worker should nobody else do it.

    `base_s` is how long the worker may stay between two steps of one file; a step may use `cpus` times its real time
    of processor time.
    """

    def __init__(self, fd: int, slot: int, *, base_s: float, cpus: float) -> None:
        page = mmap.ALLOCATIONGRANULARITY
        self._fd = fd
        self._memory = mmap.mmap(fd, page, offset=slot * page)
        self._all = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
        pages = len(self._all) - _LIMITS_BYTES
        self._others = [offset for offset in range(0, pages, page) if offset != slot * page]
        self._numbers: memoryview[int] = memoryview(self._all)[pages:].cast("H")
        self._base_s = base_s
        self._cpus = cpus
        self._token = NOBODY
        self._stage = IDLE
        self._limit = base_s
        self._armed_until = 0.0

    @property
    def token(self) -> int:
        """The file in hand, `NOBODY` if none is."""
        return self._token

    @property
    def halted(self) -> bool:
        """Whether no step is to be begun."""
        return self._memory[_HALT_AT] != 0

    @property
    def limited(self) -> bool:
        """Whether anything has a limit."""
        return self._numbers[0] != 0

    def limit(self, name: int) -> int:
        """How many workers may be at a time at what the name with this number (from 1 on) stands for; `NO_LIMIT`."""
        return self._numbers[name]

    def others(self) -> Iterator[Seen]:
        """What is seen of the other workers."""
        return (Seen(*_SEEN.unpack_from(self._all, offset)) for offset in self._others)

    def lock(self) -> bool:
        """Keeps other workers from beginning with what is limited; False if one keeps this one from it. The kernel
        unlocks when the process dies."""
        try:
            fcntl.lockf(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        except OSError:
            return False
        return True

    def unlock(self) -> None:
        fcntl.lockf(self._fd, fcntl.LOCK_UN, 1)

    def wait(self, lane: int, step: int, name: int, since: float) -> None:
        """The worker waits with the file in hand, for a turn at what the name stands for. To be said again and again:
        one that no longer does hangs."""
        deadline = time.monotonic() + self._base_s
        _WAIT.pack_into(self._memory, 0, self._token, lane, step, deadline, since, WAITING, name, b"")
        if not deadline <= self._armed_until <= deadline + _SLACK_S:
            self._arm(deadline)

    def begin(self, lane: int, step: int) -> None:
        """The turn has come: the step begins, or (-1) what comes before the first; its time starts now."""
        self.enter(self._token, lane, step, "", self._limit)

    def take(self, token: int, stage: int) -> None:
        """The worker begins to read or to walk a file."""
        now = time.monotonic()
        self._token, self._stage, self._limit = token, stage, self._base_s
        deadline = now + self._base_s
        _MARK.pack_into(self._memory, 0, token, -1, -1, deadline, now, stage, b"")
        if not deadline <= self._armed_until <= deadline + _SLACK_S:
            self._arm(deadline)

    def enter(self, token: int, lane: int, step: int, phase: str, limit: float) -> None:
        """A step begins, or reading does (`step` -1); it must be over within `limit` seconds."""
        now = time.monotonic()
        self._token, self._limit = token, limit
        deadline = now + limit
        name = phase.encode()[:PHASE_BYTES] if phase else b""
        _MARK.pack_into(self._memory, 0, token, lane, step, deadline, now, self._stage, name)
        if not deadline <= self._armed_until <= deadline + _SLACK_S:
            self._arm(deadline)

    def leave(self) -> None:
        """The step is over; the file is still in hand."""
        self.take(self._token, self._stage)

    def rest(self) -> None:
        """Nothing is at work: the worker waits for its parent, which may take as long as it likes."""
        self._token, self._stage = NOBODY, IDLE
        _MARK.pack_into(self._memory, 0, NOBODY, -1, -1, 0.0, 0.0, IDLE, b"")
        if self._armed_until:
            self._armed_until = 0.0
            signal.setitimer(signal.ITIMER_REAL, 0.0)

    def phase(self, name: str) -> None:
        """A part of the work that many steps share begins (such as the decoding of a picture), or ends: empty."""
        self._memory[_PHASE_AT : _PHASE_AT + PHASE_BYTES] = name.encode()[:PHASE_BYTES].ljust(PHASE_BYTES, b"\0")

    def renew(self) -> None:
        """The step's time starts anew."""
        now = time.monotonic()
        deadline = now + self._limit
        _NUMBER.pack_into(self._memory, _DEADLINE_AT, deadline)
        if not deadline <= self._armed_until <= deadline + _SLACK_S:
            self._arm(deadline)

    def progress(self, fraction: float) -> None:
        """The operator says how far it is, 0 to 1; its time starts anew."""
        _NUMBER.pack_into(self._memory, _FRACTION_AT, fraction)
        self.renew()

    def close(self) -> None:
        self.rest()
        self._numbers.release()
        self._all.close()
        self._memory.close()

    def _arm(self, deadline: float) -> None:
        """The parent ends a worker that outlives its deadline. This is for when it cannot: the kernel does it, even
        inside C code, up to `_SLACK_S` later. Armed anew only when needed, for it costs system calls."""
        self._armed_until = deadline + _SLACK_S
        remaining = min(max(self._armed_until - time.monotonic(), 0.001), _LONGEST_S)
        signal.setitimer(signal.ITIMER_REAL, remaining)
        cpu, hard = math.ceil(time.process_time() + remaining * self._cpus), resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (cpu if hard == resource.RLIM_INFINITY else min(cpu, hard), hard))


def _whole(value: float) -> int:
    """What a worker wrote may be anything once a hostile file has scribbled over its memory."""
    return int(value) if math.isfinite(value) else -1


def _anonymous_file(size: int) -> int:
    """A file without a name, as large as asked for, which (in memory) stays so; gone with its last descriptor."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("cortex-board", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        return fd
    fd, path = tempfile.mkstemp(prefix="cortex-board-")
    os.unlink(path)
    os.ftruncate(fd, size)
    return fd
