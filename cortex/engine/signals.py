"""Signals that mean the parent: Ctrl-C and a service manager's SIGTERM reach the whole group of processes, and the
parent decides what its helpers do then."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_PARENTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def held_back() -> Iterator[None]:
    """A process that is started in here is born with these signals blocked: none can hit it while its interpreter gets
    ready, before it leaves them to its parent. Those that come for this thread meanwhile are delivered at the end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _PARENTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_parent() -> None:
    """From now on this process and those that it forks ignore them, also one that is held back already."""
    for ignored in _PARENTS:
        signal.signal(ignored, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PARENTS)
    for deadly in (signal.SIGALRM, signal.SIGXCPU):
        signal.signal(deadly, signal.SIG_DFL)
