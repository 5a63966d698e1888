"""Actions that were interrupted: nobody has told their end."""

from __future__ import annotations

from collections.abc import Iterable

from cortex.actions.files import found_at, holds, remove, sweep
from loom.actions import ActionEnd, ActionShape
from loom.errors import LoomError
from loom.verbs import Loom

INTERRUPTED = "it was interrupted before anything had happened"


def resolve(loom: Loom, begun: Iterable[ActionShape]) -> None:
    """Brings actions to an end that were begun on this host. What had happened is done; of what was half done nothing
    has happened. Nobody else may be at it."""
    for action in begun:
        loom.end_action(action.uuid, _end_of(action))


def _end_of(action: ActionShape) -> ActionEnd:
    """A file that is moved has both its names, or two copies, for a moment: then the new one goes."""
    origin, target, digest = action.origin_path, action.target_path, bytes.fromhex(action.digest)
    try:
        sweep(target, digest)
        there = holds(target, digest)
        if there is None:
            return ActionEnd(state="FAILED", why=INTERRUPTED)
        if holds(origin, digest) is None:
            return ActionEnd(state="DONE", found=found_at(target))
        remove(target, there)
    except LoomError as error:
        return ActionEnd(state="FAILED", why=f"it was interrupted, and what it left is out of reach: {error.message}")
    return ActionEnd(state="FAILED", why=INTERRUPTED)
