"""Files that are not kept go aside: those of confirmed groups of duplicates, one recorded move at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import uuid4

from cortex.actions.files import found_at, free, holds, is_still, move, shown
from cortex.sources.roots import is_at_or_below
from loom.actions import ActionEnd
from loom.duplicates import DuplicateMember, DuplicateShape, path_of
from loom.errors import LoomError
from loom.model import Action, FileStat, LocationState
from loom.verbs import Loom


class Moved(NamedTuple):
    """What became of one file: it was moved to `target`, or would be; or it was left, and `why`."""

    path: bytes
    target: bytes | None = None
    why: str | None = None


class _Kept(NamedTuple):
    path: bytes
    stat: FileStat


@dataclass(frozen=True)
class Applying:
    """Moves files of this host below the folder `to`, an absolute path, under the whole path that they have; a name
    that is taken gets a number."""

    loom: Loom
    host: str
    to: bytes
    dry_run: bool = False

    def apply(self, group: DuplicateShape) -> Iterator[Moved]:
        """What becomes of each file that is not kept. Raises `REQUEST_INVALID` for a group that is not confirmed, and
        what Loom has to say."""
        if group.state != "CONFIRMED":
            raise LoomError("REQUEST_INVALID", f"The group {group.uuid} is {group.state}: confirm it first.")
        files = [(path, member) for member in group.members for path in self._files(member)]
        superfluous = [(path, member) for path, member in files if not member.kept and not member.left]
        if not superfluous:
            return
        kept, why = self._kept(group)
        for path, member in superfluous:
            yield Moved(path, why=why) if kept is None else self._aside(group, kept, path, member)

    def _files(self, member: DuplicateMember) -> list[bytes]:
        return [
            path_of(place)
            for place in member.locations
            if place.host == self.host and place.state is LocationState.PRESENT
        ]

    def _kept(self, group: DuplicateShape) -> tuple[_Kept | None, str]:
        """A file that has the content of the one that is kept, wherever it is safe; else why there is none."""
        keeper = next((member for member in group.members if member.kept), None)
        paths = [] if keeper is None else self._files(keeper)
        if keeper is None or not paths:
            return None, "the one that is kept does not lie on this machine"
        safe = [path for path in paths if not is_at_or_below(path, self.to)]
        if not safe:
            return None, "the one that is kept lies in the folder that the others are to go to"
        why = f"the one that is kept is not at {shown(safe[0])}, or is another one now"
        for path in safe:
            try:
                stat = holds(path, bytes.fromhex(keeper.blake3))
            except LoomError as error:
                why = f"the one that is kept cannot be read: {error.message}"
                continue
            if stat is not None:
                return _Kept(path, stat), ""
        return None, why

    def _aside(self, group: DuplicateShape, kept: _Kept, path: bytes, member: DuplicateMember) -> Moved:
        try:
            self._refuse(kept, path)
            target = free(os.path.join(self.to, path.lstrip(b"/")))
            if self.dry_run:
                if holds(path, bytes.fromhex(member.blake3)) is None:
                    raise LoomError("CHANGED_WHILE_READ", "it is not there, or is another one now")
            else:
                self._move(group, kept, path, target, member)
        except LoomError as error:
            return Moved(path, why=error.message)
        return Moved(path, target)

    def _refuse(self, kept: _Kept, path: bytes) -> None:
        """Raises for a file that must not go: it may be the kept one itself, under another name."""
        if is_at_or_below(path, self.to):
            raise LoomError("EFFECT_FAILED", "it lies in that folder already")
        if not is_still(kept.path, kept.stat):
            raise LoomError("CHANGED", "the one that is kept is gone, or is another one now")
        try:
            mine = os.lstat(path)
        except OSError as error:
            raise LoomError("FILE_VANISHED", "it is not there any more") from error
        if (mine.st_ino, mine.st_size, mine.st_mtime_ns) == (kept.stat.inode, kept.stat.size, kept.stat.mtime_ns):
            raise LoomError("EFFECT_FAILED", "it is the very file that is kept, under another name")

    def _move(self, group: DuplicateShape, kept: _Kept, path: bytes, target: bytes, member: DuplicateMember) -> None:
        """Written down before and after; what fails has changed nothing."""
        digest = bytes.fromhex(member.blake3)
        now = time.time_ns() // 1000
        action = Action(uuid4(), "moved", digest, path, target, digest, member.size, now)
        self.loom.begin_action(self.host, action, duplicate=group.uuid)
        try:
            move(path, self.to, os.path.relpath(target, self.to), digest)
            if not is_still(kept.path, kept.stat):
                move(target, os.path.dirname(path), os.path.basename(path), digest)
                raise LoomError("EFFECT_FAILED", "the one that is kept went with it, so it was brought back")
        except LoomError as error:
            self.loom.end_action(action.uuid, ActionEnd(state="FAILED", why=error.message))
            raise
        self.loom.end_action(action.uuid, ActionEnd(state="DONE", found=found_at(target)))
