"""Operators of a third party that give many values, and take them one by one or all at once; and a way to install
them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distributions import offer

from cortex import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.media import Media
from cortex.node import HANDS_ON
from loom.errors import LoomError
from loom.graph.specs import Port
from loom.model import Branch

WORD = "text/word"


class Split(MediaNode[NodeOptions]):
    """The words of a text."""

    operator = "words.split"
    kinds = frozenset({"text"})
    reads = ()
    verdicts = False
    outputs = (Port(id="out", content_type=WORD, cardinality="many", key="words"),)
    WORDS = OutputKey("words", list)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        ctx.output(self.WORDS, media.text().split())


class Measure(MediaNode[NodeOptions]):
    """Measures a word: `bad` fails, words of one letter are rejected, and give no length."""

    operator = "words.measure"
    reads = ()
    inputs = (Port(id="in", content_type=WORD),)
    outputs = (Port(id="out", content_type="scalar/number", key="length"),)
    LENGTH = OutputKey("length", int)
    PLACE = OutputKey("place", int)

    def compute(self, ctx: NodeContext, media: Any) -> None:
        if ctx.item == "bad":
            raise LoomError("FILE_DAMAGED", "this word is bad")
        ctx.output(self.PLACE, ctx.index)
        ctx.artifact("word", str(ctx.item).encode(), "text/plain")
        if len(ctx.item) == 1:
            ctx.verdict(Branch.FAIL, "it is short")
        else:
            ctx.output(self.LENGTH, len(ctx.item))


class KeepOptions(NodeOptions):
    least: int = 4


class Keep(MediaNode[KeepOptions]):
    """Passes words of so many letters."""

    operator = "words.keep"
    reads = ()
    verdicts = True
    inputs = (Port(id="in", content_type=WORD),)
    outputs = HANDS_ON

    def compute(self, ctx: NodeContext, media: Any) -> None:
        if len(ctx.item) < self.options.least:
            ctx.verdict(Branch.FAIL, "it is short")


class Total(MediaNode[NodeOptions]):
    """The sum of all lengths."""

    operator = "words.total"
    reads = ()
    verdicts = False
    inputs = (Port(id="in", content_type="scalar/*", cardinality="many"),)
    TOTAL = OutputKey("total", int)

    def compute(self, ctx: NodeContext, media: Any) -> None:
        ctx.output(self.TOTAL, sum(ctx.items or ()))


class Send(MediaNode[NodeOptions]):
    """Has an effect for each word."""

    operator = "words.send"
    reads = ()
    verdicts = False
    capabilities = frozenset({"effect"})
    inputs = (Port(id="in", content_type=WORD),)
    SENT = OutputKey("sent", str)

    def compute(self, ctx: NodeContext, media: Any) -> None:
        ctx.effect(f"send {ctx.item}", lambda: ctx.output(self.SENT, ctx.item))


def install(site: Path) -> str:
    """Makes a distribution that offers the operators in the folder `site`; returns the PYTHONPATH that has it."""
    return offer(site, "words", Split, Measure, Keep, Total, Send)
