"""When a file is settled: nobody writes to it any more, as far as that can be told."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Callable
from errno import EAGAIN
from typing import NamedTuple

OPEN_WAIT_S = 600.0
"""A file that somebody holds open for writing is waited for until it has not been written to for so long."""

LEAST_WAIT_S = 0.1


class Look(NamedTuple):
    """What a file looked like, and since when (monotonic seconds) it has."""

    size: int
    mtime_ns: int
    since: float


class Settling:
    """Looks at files until they are settled.

    A file is settled when its size and time of last change were the same at two looks and it was last changed at least
    `settle_s` ago; at the first look already if that was so long ago, for then it was moved here. A time of last change
    that lies in the future says nothing: such a file has to look the same for so long. A file that is open for writing
    is not settled, unless nothing was written to it for ten minutes.
    """

    def __init__(self, settle_s: float, is_open: Callable[[bytes], bool] | None = None) -> None:
        self._settle_s = settle_s
        self._is_open = is_open or is_open_for_writing
        self._looks: dict[bytes, Look] = {}

    def wait(self, path: bytes, size: int, mtime_ns: int, *, now: float, wall_ns: int) -> float:
        """Seconds after which to look again, 0 for a file that is settled. `now` is monotonic, `wall_ns` the time of
        day as file systems count it."""
        former = self._looks.get(path)
        same = former is not None and (former.size, former.mtime_ns) == (size, mtime_ns)
        look = former if same and former is not None else Look(size, mtime_ns, now)
        age_s = (wall_ns - mtime_ns) / 1e9
        still_s = age_s if age_s >= 0 and (same or former is None) else now - look.since
        left_s = self._settle_s - still_s
        if left_s <= 0 and not (age_s < OPEN_WAIT_S and self._is_open(path)):
            self._looks.pop(path, None)
            return 0.0
        self._looks[path] = look
        return max(left_s, LEAST_WAIT_S) if left_s > 0 else max(self._settle_s, 1.0)

    def forget(self, path: bytes) -> None:
        """The file is gone."""
        self._looks.pop(path, None)


def is_open_for_writing(path: bytes) -> bool:
    """Whether some process has the file open for writing; False where the system does not tell (other systems than
    Linux, files of other users, most network file systems). It is told by whether we would get a read lease, which is
    given back at once."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # by default who holds a lease is killed when another process asks for the file
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == EAGAIN
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return False
