"""Where assets end up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.fields import CollectionName

if TYPE_CHECKING:
    from cortex.media import Media


class CollectOptions(NodeOptions):
    collection: CollectionName = Field(
        description="Name of the collection: up to 100 letters, digits, spaces and . + - _."
    )


class Collect(MediaNode[CollectOptions]):
    """Adds the asset to a named collection.

    The collection comes into being with its first asset. An asset is in it once, however often it is added.
    `{collection: holidays}` is an example. It refuses no file; without a Loom it fails with `LOOM_UNREACHABLE`.
    """

    operator = "sink.collect"
    outputs = HANDS_ON
    reads = ()
    verdicts = False
    capabilities = frozenset({"effect"})

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """Adds the asset, in the transaction that stores this node's result."""
        name = self.options.collection
        ctx.effect(f"add to collection {name}", lambda: ctx.collect(name))


class LoomSink(MediaNode[NodeOptions]):
    """Completes when all that stands before it is stored in Loom.

    It is reached only after the results of the nodes before it are committed, those that until now only the local
    cache had included. While a Loom server is away it waits, for some seconds; without a Loom, and when the server
    stays away, it fails with `LOOM_UNREACHABLE` and is tried again in the next run.
    """

    operator = "sink.loom"
    outputs = HANDS_ON
    verdicts = False
    capabilities = frozenset({"database"})
    STORED = OutputKey("stored", bool, "Always true: everything before this node is in Loom.")

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """Says so; the storing itself was done before this is called."""
        ctx.output(self.STORED, True)
