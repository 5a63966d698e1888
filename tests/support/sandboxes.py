"""Sandboxes whose files do what their names say (see `deeds`), for the tests of `cortex.engine.sandbox`."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cortex.engine.limits import Limits
from cortex.engine.records import Answer, Identity, Item, Setup, Walked
from cortex.engine.sandbox import Sandbox
from loom.model import FileStat, State

QUICK = Limits(base_s=0.4, memory=512 * 1024 * 1024, start_s=20.0)


def item(token: int, name: str = "good", *, steps: int = 1, size: int = 1, **more: Any) -> Item:
    """An item by number and the name of its file."""
    return Item(token, f"/media/{token}.{name}".encode(), str(steps).encode(), FileStat(size, 0, token, 0), **more)


def sandbox(*, jobs: int = 2, limits: Limits = QUICK, walker: str = "deeds:Deeds", **more: Any) -> Sandbox:
    return Sandbox(Setup((), limits=limits, walker=walker, preload=(), **more), jobs=jobs)


def walk_all(identities: Sequence[Identity]) -> list[Answer]:
    """Answers that every file is to be walked."""
    return [Answer(identity.token, walk=True) for identity in identities]


def run(box: Sandbox, items: Sequence[Item]) -> dict[int, Walked]:
    """What came of the items, by token; each may come but once."""
    found = list(box.run(iter(items), walk_all))
    by_token = {walked.token: walked for walked in found}
    assert len(by_token) == len(found)
    return by_token


def failed_steps(walked: Walked) -> dict[int, str | None]:
    """The code of every step that failed; the other steps are COMPLETED."""
    failed = {computed.step: computed.error_code for computed in walked.computed}
    states = [State.FAILED if step in failed else State.COMPLETED for step in range(len(walked.outcomes))]
    assert [outcome.state for outcome in walked.outcomes if outcome is not None] == states
    return failed


def in_child(work: Callable[[], object]) -> int:
    """Does it in a process of its own, where a true value means 0; returns its exit code, below 0 for a signal."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def processes_of(parent: int) -> set[int]:
    """All processes below one, by id."""
    parents = _parents()
    below, found = {parent}, set[int]()
    while below := {pid for pid, above in parents.items() if above in below}:
        found |= below
    return found


def children_of(parent: int) -> set[int]:
    """The processes directly below one, by id."""
    return {pid for pid, above in _parents().items() if above == parent}


_OURS = b"cortex.engine.forkserver"
"""Stands in the command of the server and of the workers forked from it; other tests have other processes."""


def _parents() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(errors="replace")
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            state, above = stat.rpartition(")")[2].split()[:2]
            if state != "Z" and _OURS in command:
                parents[int(entry.name)] = int(above)
    return parents


def descriptors() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))
