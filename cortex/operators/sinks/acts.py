"""What sinks tell of what they did to files."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from loom.model import Action, ActionKind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.node import NodeContext


class Deed:
    """What a sink does to a file: told before it is done, and after. `make` gives the action of a kind at the name that
    it gets in its folder."""

    def __init__(self, ctx: NodeContext, make: Callable[[ActionKind, str], Action]) -> None:
        self._ctx = ctx
        self._make = make
        self._ahead: tuple[ActionKind, str] | None = None
        self._action: Action | None = None

    def about_to(self, kind: ActionKind, name: str) -> None:
        """To be said right before; again only where it is to be another name."""
        if self._ahead != (kind, name):
            self._ahead, self._action = (kind, name), self._make(kind, name)
            self._ctx.intend(self._action)

    def done(self) -> None:
        if self._action is not None:
            self._ctx.acted(self._action)


def path_at(root: str, folders: Sequence[str], name: str) -> str:
    """The path of a file that was put below a root folder, which may begin with `~`."""
    return os.path.join(Path(root).expanduser(), *folders, name)


def act(kind: ActionKind, media: Media, target: str) -> Action:
    """The file was brought to the target, with the bytes that it has."""
    return wrote(kind, media, target, media.asset.blake3, media.size)


def wrote(kind: ActionKind, media: Media, target: str, digest: bytes, size: int) -> Action:
    """At the target lie bytes of that BLAKE3 and size for the sake of the file."""
    origin, placed = os.fsencode(media.path), os.fsencode(target)
    return Action(uuid4(), kind, media.asset.blake3, origin, placed, digest, size, time.time_ns() // 1000)
