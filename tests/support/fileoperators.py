"""Operators of a third party that hand derived files on: one makes them, one reads them in a worker, one beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distributions import offer

from cortex import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.media import Media
from cortex.operators.references import ArtifactName, artifact_of
from loom.errors import LoomError
from loom.graph.specs import Port


class Make(MediaNode[NodeOptions]):
    """Makes a file of each word, and none of a text without words."""

    operator = "files.make"
    reads = ()
    kinds = frozenset({"text"})
    outputs = (Port(id="out", content_type="artifact/text", cardinality="many", key="word *"),)
    WORDS = OutputKey("words", int)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        words = media.text().split()
        for number, word in enumerate(words):
            ctx.artifact(f"word {number}", word.encode() * 1000, "text/plain")
        ctx.output(self.WORDS, len(words))


class ReadOptions(NodeOptions):
    """`needs`: a text without the first of the files is a failure."""

    of: tuple[ArtifactName, ...]
    mark: str = ""
    needs: bool = False


class Read(MediaNode[ReadOptions]):
    """Tells how the files begin that its option names."""

    operator = "files.read"
    reads = ()
    BEGIN = OutputKey("begin", list)

    def compute(self, ctx: NodeContext, media: Any) -> None:
        found = [artifact_of(ctx, name) for name in self.options.of]
        if self.options.needs and found[0] is None and media.kind == "text":
            raise LoomError("OPERATOR_FAILED", "there is no file")
        ctx.output(self.BEGIN, [one and f"{one.name}: {one.data[:5].decode()}, {one.media_type}" for one in found])


class Send(Read):
    """The same beside the sandbox."""

    operator = "files.send"
    capabilities = frozenset({"network"})


class LookOptions(NodeOptions):
    mark: str = ""


class Look(MediaNode[LookOptions]):
    """Looks at each of the files that come in, as at an asset."""

    operator = "files.look"
    reads = ()
    kinds = frozenset({"text"})
    inputs = (Port(id="in", content_type="artifact/text"),)
    BEGIN = OutputKey("begin", str)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        ctx.output(self.BEGIN, f"{ctx.item.name}: {media.text()[:5]}, {ctx.item.media_type}")


class Post(MediaNode[LookOptions]):
    """Takes all of them beside the sandbox."""

    operator = "files.post"
    reads = ()
    capabilities = frozenset({"network"})
    inputs = (Port(id="in", content_type="artifact/*", cardinality="many"),)
    BEGIN = OutputKey("begin", list)

    def compute(self, ctx: NodeContext, media: Any) -> None:
        ctx.output(self.BEGIN, [f"{one.name}: {one.data[:5].decode()}, {one.media_type}" for one in ctx.items or ()])


def install(site: Path) -> str:
    """Makes a distribution that offers the operators in the folder `site`; returns the PYTHONPATH that has it."""
    return offer(site, "files", Make, Read, Send, Look, Post)
