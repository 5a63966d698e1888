"""Undoes actions: files come back, copies and side files go, as long as nothing else happened to them."""

from __future__ import annotations

import os
from contextlib import closing
from typing import NamedTuple

from cortex.actions.files import found_at, holds, move, remove, shown
from cortex.operators.sinks.placing import Conflict, failing, folder_below, put
from loom.actions import ActionEnd, ActionShape
from loom.errors import LoomError
from loom.model import FoundAt
from loom.verbs import Loom


class Undone(NamedTuple):
    """What was done, or would be, about an action; `why` when it could not be."""

    action: ActionShape
    did: str
    why: str | None = None


def undo(loom: Loom, host: str, action: ActionShape, *, dry_run: bool = False) -> Undone:
    """Raises what Loom has to say."""
    did = _DOES[action.kind].format(origin=shown(action.origin_path), target=shown(action.target_path))
    try:
        _refuse(action, host)
        _check(action)
        if not dry_run:
            found = _carry_out(action)
    except LoomError as error:
        return Undone(action, did, error.message)
    if not dry_run:
        loom.end_action(action.uuid, ActionEnd(state="UNDONE", found=found))
    return Undone(action, did)


_DOES = {
    "moved": "{target} goes back to {origin}",
    "removed": "{origin} is copied back from {target}",
    "copied": "the copy {target} goes",
    "wrote": "{target}, made of {origin}, goes",
}


def _refuse(action: ActionShape, host: str) -> None:
    if action.state == "UNDONE":
        raise LoomError("DECIDED", "it was undone already")
    if action.state == "FAILED":
        raise LoomError("DECIDED", "nothing had come of it")
    if action.state == "BEGUN":
        raise LoomError("TRY_AGAIN", "it was interrupted; `cortex undo` without --dry-run brings it to an end first")
    if action.host != host:
        raise LoomError("REQUEST_INVALID", f"it was done on {action.host}, where it can be undone")


def _check(action: ActionShape) -> None:
    """Raises what stands in the way."""
    origin, target, digest = action.origin_path, action.target_path, bytes.fromhex(action.digest)
    at_target, target_taken = holds(target, digest), os.path.lexists(target)
    if action.kind in ("moved", "removed"):
        is_back = holds(origin, digest) is not None
        if os.path.lexists(origin) and not is_back:
            raise LoomError("EFFECT_FAILED", f"something else is at {shown(origin)} now")
        if not is_back and at_target is None:
            raise LoomError("EFFECT_FAILED", _lost(target, taken=target_taken))
        if not os.path.isdir(os.path.dirname(origin)):
            raise LoomError("EFFECT_FAILED", f"the folder {shown(os.path.dirname(origin))} is not there")
    elif target_taken and at_target is None:
        raise LoomError("EFFECT_FAILED", _lost(target, taken=True))
    elif action.kind == "copied" and at_target is not None and holds(origin, digest) is None:
        raise LoomError("EFFECT_FAILED", f"its original is not at {shown(origin)} any more, or is another one now")


def _lost(target: bytes, *, taken: bool) -> str:
    return f"{shown(target)} is another one now" if taken else f"{shown(target)} is not there any more"


def _carry_out(action: ActionShape) -> FoundAt | None:
    """Where the file lies again that was moved or removed."""
    origin, target, digest = action.origin_path, action.target_path, bytes.fromhex(action.digest)
    there = holds(target, digest)
    if action.kind in ("copied", "wrote"):
        if there is not None:
            remove(target, there)
        return None
    if there is not None:
        if action.kind == "moved":
            move(target, os.path.dirname(origin), os.path.basename(origin), digest)
        else:
            _copy(target, origin, digest)
    return found_at(origin)


def _copy(source: bytes, target: bytes, digest: bytes) -> None:
    from cortex.media.file import OpenFile

    folder_path, name = os.path.split(os.fsdecode(target))
    with (
        closing(OpenFile(source)) as file,
        failing(f"copying to {shown(target)}"),
        folder_below(folder_path, ()) as folder,
    ):
        mode = os.lstat(source).st_mode & 0o777
        put(folder, name, file, mode, digest, Conflict.FAIL, verify=True)
