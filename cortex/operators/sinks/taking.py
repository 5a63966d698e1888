"""What a sink brings elsewhere: the asset's own file, or a derived file that came in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cortex.operators.sinks.naming import sayable

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.media.file import OpenFile
    from cortex.node import NodeContext


def is_without_file(ctx: NodeContext) -> bool:
    """Whether a derived file was to come in, and none did."""
    return ctx.items is not None and ctx.item is None


def what_of(ctx: NodeContext, media: Media) -> str:
    """Which file it is, for people."""
    path = sayable(media.path)
    return path if ctx.item is None else f"{sayable(ctx.item.name)} of {path}"


def content_of(ctx: NodeContext, media: Media) -> OpenFile:
    """The file, to be closed. Raises as `OpenFile` does, and what keeps a derived file from being read."""
    from cortex.media.file import OpenFile
    from cortex.media.memory import MemoryFile

    return OpenFile(os.fsencode(media.local)) if ctx.item is None else MemoryFile(ctx.item.data)


def blake3_of(data: bytes) -> bytes:
    from blake3 import blake3

    return blake3(data).digest()
