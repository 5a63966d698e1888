"""Moves files to another folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from cortex.node import HANDS_ON, MediaNode, NodeContext, OutputKey
from cortex.operators.sinks.acts import Deed, act, path_at
from cortex.operators.sinks.copying import PlacingOptions, beside, place_for
from cortex.operators.sinks.naming import nodes_named, sayable
from cortex.operators.sinks.placing import (
    NO_LINKS,
    Conflict,
    Name,
    choose,
    demand_here,
    failing,
    folder_below,
    is_same_folder,
    put,
    sync,
)
from loom.errors import LoomError
from loom.model import ActionKind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.file import OpenFile


class MoveOptions(PlacingOptions):
    confirm: bool = Field(
        False, validate_default=True, description="Must be true: files are taken away from where they lie."
    )

    @field_validator("confirm")
    @classmethod
    def _is_confirmed(cls, confirm: bool) -> bool:
        if not confirm:
            raise ValueError("this takes files away from where they lie; say confirm: true if that is meant")
        return confirm


class Move(MediaNode[MoveOptions]):
    """Moves the file to a folder, under a name made of what is known of it.

    `{to: /media/archive, template: "{captured_at:%Y/%m}/{name}", conflict: rename, confirm: true}` is an example; the
    options are those of `sink.copy`, and `confirm`, without which the definition is refused. On one disk the file gets
    its new name and loses the old one; to another disk it is copied as `sink.copy` does, and the original is removed
    once the copy is on the disk and was compared. Before, the original is read and its BLAKE3 compared, unless
    `verify` is false. It is removed too when its content lies at the target already, and never when it has changed
    meanwhile. When it cannot be removed, what was made is taken away again, so that nothing has happened.

    Put it behind all that reads the file, for it is gone from there then. The outputs say where it came from and where
    it went, and `cortex undo --run UUID` moves it back. Of an asset that lies in several places one file is moved.

    Ports `in` and `out`; needs the nodes that the template names, and the folder `to`, which is never made. It fails
    with the codes of `sink.copy`: `OPERATOR_FAILED`, also for a file that does not lie on this machine,
    `CHANGED_WHILE_READ`, `FILE_VANISHED`, `FILE_UNREADABLE`, `READ_FAILED`, `DISK_FULL` and `EFFECT_FAILED`.
    """

    operator = "sink.move"
    outputs = HANDS_ON
    reads = ()
    verdicts = False
    capabilities = frozenset({"effect"})
    ORIGIN = OutputKey("origin", str, "Where the file lay before.")
    TARGET = OutputKey("target", str, "Where the content lies now; none when the file was left.")
    MOVED = OutputKey("moved", bool, "Whether the file was moved; false when it lay there already or was left.")

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_named(self.options.template)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        demand_here(media, "it can be copied, but not moved")
        names, target = place_for(self.options, ctx, media)
        ctx.effect(f"move {sayable(media.path)} to {target}", lambda: self._move(ctx, media, names, target))

    def _move(self, ctx: NodeContext, media: Media, names: list[str], target: str) -> None:
        from cortex.media.file import OpenFile

        home_path, own_name = os.path.split(media.path)
        deed = Deed(ctx, lambda kind, name: act(kind, media, path_at(self.options.to, names[:-1], name)))
        with (
            closing(OpenFile(os.fsencode(media.path))) as file,
            failing(f"moving to {target}"),
            folder_below(home_path, ()) as home,
            folder_below(self.options.to, names[:-1]) as folder,
        ):
            moving = Moving(file, media.asset.blake3, home, own_name, folder, deed.about_to)
            found = moving.carry_out(names[-1], self.options.conflict, verify=self.options.verify)
        if found is not None and not found.is_there:
            deed.done()
        ctx.output(self.ORIGIN, sayable(media.path))
        ctx.output(self.MOVED, found is not None and not found.is_there)
        if found is not None:
            ctx.output(self.TARGET, beside(target, found.name))


def _untold(kind: ActionKind, name: str) -> None:
    """Whoever moves it has written it down."""


class Moving:
    """One file on its way from the folder `home` to `folder`; both are descriptors. `before` is told what is about to
    be done, with the name that the file gets or has."""

    def __init__(
        self,
        file: OpenFile,
        blake3: bytes,
        home: int,
        own_name: str,
        folder: int,
        before: Callable[[ActionKind, str], None] = _untold,
    ) -> None:
        self._file = file
        self._blake3 = blake3
        self._home = home
        self._own_name = own_name
        self._folder = folder
        self._before = before

    def carry_out(self, wanted: str, conflict: Conflict, *, verify: bool) -> Name | None:
        """Where the file is now; `is_there` when it lay exactly there before. None when it was left. Raises as the
        operator; then nothing has happened."""
        if verify:
            self._compare()
        found = self._bring(wanted, conflict, verify=verify)
        if found is None or self._is_here(found.name):
            return found
        try:
            if found.is_there:
                self._before("removed", found.name)
            self._remove()
        except BaseException:
            if not found.is_there:
                os.unlink(found.name, dir_fd=self._folder)
            raise
        return Name(found.name, is_there=False)

    def _compare(self) -> None:
        from blake3 import blake3

        digest = blake3()
        self._file.feed([digest.update])
        if digest.digest() != self._blake3 or self._file.changed():
            raise LoomError("CHANGED_WHILE_READ")

    def _bring(self, wanted: str, conflict: Conflict, *, verify: bool) -> Name | None:
        """Gives the file its new name beside the old one; copies it where that cannot be."""
        while True:
            found = choose(self._folder, wanted, self._file, self._blake3, conflict)
            if found is None or found.is_there:
                return found
            self._before("moved", found.name)
            try:
                self._link(found.name)
                return found
            except FileExistsError:
                continue
            except OSError as error:
                if error.errno not in NO_LINKS:
                    raise
            mode = os.stat(self._own_name, dir_fd=self._home, follow_symlinks=False).st_mode & 0o777
            before = partial(self._before, "moved")
            return put(self._folder, wanted, self._file, mode, self._blake3, conflict, verify=verify, before=before)

    def _link(self, name: str) -> None:
        os.link(self._own_name, name, src_dir_fd=self._home, dst_dir_fd=self._folder, follow_symlinks=False)
        if not self._is_the_file(self._folder, name):
            os.unlink(name, dir_fd=self._folder)
            raise LoomError("CHANGED_WHILE_READ")
        sync(self._folder)

    def _remove(self) -> None:
        if not self._is_the_file(self._home, self._own_name):
            raise LoomError("CHANGED_WHILE_READ")
        os.unlink(self._own_name, dir_fd=self._home)
        sync(self._home)

    def _is_the_file(self, folder: int, name: str) -> bool:
        now, then = os.stat(name, dir_fd=folder, follow_symlinks=False), self._file.stat
        return (now.st_size, now.st_mtime_ns, now.st_ino, now.st_dev) == tuple(then)

    def _is_here(self, name: str) -> bool:
        """Whether a name in `folder` is the very one that the file has; names may differ in case alone."""
        if name.casefold() != self._own_name.casefold() or not is_same_folder(self._home, self._folder):
            return False
        return name == self._own_name or self._is_the_file(self._folder, name)
