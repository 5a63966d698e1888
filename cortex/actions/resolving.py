"""Actions that were interrupted: nobody has told their end."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import UUID

from cortex.actions.files import found_at, holds, remove, sweep
from cortex.engine.intentions import DOING
from cortex.paging import everything
from loom.actions import ActionEnd, ActionShape
from loom.errors import LoomError
from loom.model import RunState
from loom.verbs import Loom

INTERRUPTED = "it was interrupted before anything had happened"


def resolve_all_dead(loom: Loom, host: str, meta_path: Path) -> int:
    """As `resolve_dead`, with all that was begun on this host and of which nobody has told the end."""
    return resolve_dead(loom, list(everything(partial(loom.actions, host=host, state="BEGUN"))), meta_path)


def resolve_dead(loom: Loom, begun: Sequence[ActionShape], meta_path: Path) -> int:
    """Brings to an end what commands and runs of this host were about to do when they were killed; how many actions it
    was. Runs that still go on are left alone. Nobody else may be at it: see `acting_alone`."""
    runs = {action.run for action in begun if action.run is not None}
    over = {run for run in runs if _is_over(loom, run, meta_path / DOING / str(run))}
    ended = [action for action in begun if action.run is None or action.run in over]
    resolve(loom, ended)
    for run in over:
        with suppress(OSError):
            (meta_path / DOING / str(run)).unlink(missing_ok=True)
    return len(ended)


def _is_over(loom: Loom, run: UUID, doing: Path) -> bool:
    """Whether nobody executes the run any more. Its process holds a lock in the meta path; where that has no file of
    it, a process with another one may, and Loom's word counts."""
    try:
        descriptor = os.open(doing, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return loom.run(run).state not in (RunState.QUEUED, RunState.RUNNING)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def resolve(loom: Loom, begun: Iterable[ActionShape]) -> None:
    """Brings actions to an end that were begun on this host. What had happened is done; of what was half done nothing
    has happened."""
    for action in begun:
        try:
            loom.end_action(action.uuid, _end_of(action))
        except LoomError as error:
            if error.code not in ("DECIDED", "NOT_FOUND"):  # its process has told of its end meanwhile
                raise


def _end_of(action: ActionShape) -> ActionEnd:
    origin, target, digest = action.origin_path, action.target_path, bytes.fromhex(action.digest)
    try:
        if action.kind == "removed":
            is_done = holds(origin, digest) is None and holds(target, digest) is not None
            return ActionEnd(state="DONE") if is_done else _nothing()
        sweep(target, digest)
        there = holds(target, digest)
        if there is None:
            return _nothing()
        if action.kind in ("copied", "wrote"):
            return ActionEnd(state="DONE")
        if holds(origin, digest) is None:
            return ActionEnd(state="DONE", found=found_at(target))
        remove(target, there)  # a file that is moved has both its names, or two copies, for a moment
    except LoomError as error:
        return ActionEnd(state="FAILED", why=f"it was interrupted, and what it left is out of reach: {error.message}")
    return _nothing()


def _nothing() -> ActionEnd:
    return ActionEnd(state="FAILED", why=INTERRUPTED)
