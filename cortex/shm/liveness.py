"""Whether a process still lives."""

from __future__ import annotations

import os
from contextlib import suppress


def since(pid: int) -> int:
    """When the process was started, in clock ticks since boot: with its number, who it is. 0 when there is none; one
    that has ended and was not waited for counts as none."""
    with suppress(OSError, ValueError, IndexError):
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        if fields[0] not in (b"Z", b"X"):
            return int(fields[19])
    return 0


def myself() -> tuple[int, int]:
    pid = os.getpid()
    return pid, since(pid)


def lives(pid: int, started: int) -> bool:
    return since(pid) == started != 0
