"""Derived files of earlier nodes as they come in at a node's input for them, and what such a node looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

from loom.graph.specs import BESIDE, Port
from loom.model import ArtifactRef

if TYPE_CHECKING:
    from cortex.node import MediaNode, NodeContext


def asset_or_file(kind: str, description: str = "") -> tuple[Port, ...]:
    """Inputs of an operator that looks at the asset, or at a derived file where an edge leads into its port `file`;
    `kind` as in `artifact/image`. An asset of which no such file was made it looks at itself."""
    what = description or "a derived file of another node, in place of the asset"
    file = Port(id="file", content_type=f"artifact/{kind}", required=False, description=what)
    return (Port(id="in", required=False), file)


def asset_or_any_file(description: str) -> tuple[Port, ...]:
    """Inputs of an operator that does something with the asset's file, or with a derived file where an edge leads into
    its port `file`; nothing is done then for an asset of which no such file was made."""
    return (
        Port(id="in", required=False),
        Port(id="file", content_type="artifact/*", required=False, description=description),
    )


class DerivedFile:
    """A derived file of an earlier node: `ctx.item` at an input of the family `artifact`, or one of `ctx.items`.

    `size` is in bytes, `ref` says where it is stored, None for one that was made in this run.
    """

    def __init__(
        self, name: str, media_type: str, size: int, read: Callable[[], bytes], ref: ArtifactRef | None = None
    ) -> None:
        self.name = name
        self.media_type = media_type
        self.size = size
        self.ref = ref
        self._read = read

    @cached_property
    def data(self) -> bytes:
        """Its bytes, fetched at the first question. Raises `FILE_TOO_LARGE` for stored ones that are larger than is
        handed on, and `READ_FAILED` for one that is lost."""
        return self._read()


def looking(node: MediaNode[Any], ctx: NodeContext, media: Any) -> AbstractContextManager[Any]:
    """What the node is computed on: the derived file that came in, where the bytes of files are within reach, else the
    asset itself."""
    if not isinstance(ctx.item, DerivedFile) or BESIDE.intersection(node.capabilities):
        return nullcontext(media)
    return _opened(node, ctx.item, media)


@contextmanager
def _opened(node: MediaNode[Any], file: DerivedFile, media: Any) -> Iterator[Any]:
    from cortex.media.media import MAX_PIXELS, Media
    from cortex.media.memory import MemoryFile
    from cortex.media.phases import Phases

    with Media(media.path_bytes, MemoryFile(file.data), node.wants(), Phases({}, None), MAX_PIXELS) as seen:
        yield seen
