"""Tags assets by rules."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cortex.expression import evaluate, parse
from cortex.expression.tree import MAX_LENGTH, nodes_named
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.fields import CollectionName
from cortex.operators.filters.expression import look_up
from loom.graph.specs import Port

if TYPE_CHECKING:
    from cortex.media import Media


class TagRule(BaseModel):
    """One tag, and when it is given."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tag: CollectionName = Field(description="The tag: up to 100 letters, digits, spaces and . + - _.")
    when: str = Field(
        "true",
        min_length=1,
        max_length=MAX_LENGTH,
        json_schema_extra={"format": "node-expression"},
        description="What must hold, as in `filter.expression`; by default the tag is given to all.",
    )

    @field_validator("when")
    @classmethod
    def _can_be_parsed(cls, when: str) -> str:
        parse(when)
        return when


class TaggingOptions(NodeOptions):
    rules: tuple[TagRule, ...] = Field(min_length=1, max_length=200, description="Tags, and when each is given.")
    collections: bool = Field(
        False, description="Also add the asset to the collection of each tag's name. No rule takes it out again."
    )


class Tag(MediaNode[TaggingOptions]):
    """Gives tags to the asset, each by a rule.

    A rule is an expression over values of earlier nodes and facts of the media, as `filter.expression` has them. All
    rules that hold give their tags; a tag that several give is given once. An example:

        rules:
          - {tag: night, when: "metadata.iso >= 1600 and metadata.exposure_s > 0.02"}
          - {tag: large picture, when: 'media.kind == "image" and metadata.width >= 4000'}

    The tags are the output `labels`, by which Loom finds assets, and `provenance` tells the rule of each and the nodes
    that it read. They belong to this node: when its rules change they are given anew, and those that no longer hold are
    gone. `filter.tag` looks at them. With `collections` each tag is a collection too, which assets only come into.

    Ports `in` and `out`; needs the nodes that the rules name before it. It refuses no file; with `collections` and
    without a Loom it fails with `LOOM_UNREACHABLE`.
    """

    operator = "sink.tag"
    outputs = (Port(id="out", content_type="text/tag", cardinality="many", key="labels"),)
    reads = ()
    verdicts = False
    capabilities = frozenset({"effect"})
    LABELS = OutputKey("labels", list, "The tags, in the order of the rules.")
    PROVENANCE = OutputKey("provenance", list, "For each tag: `tag`, the rule `when` and the nodes `from` which it is.")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._trees = [(rule, parse(rule.when)) for rule in self.options.rules]

    def named_nodes(self) -> tuple[str, ...]:
        return tuple(sorted({node for _, tree in self._trees for node in nodes_named(tree)}))

    def compute(self, ctx: NodeContext, media: Media) -> None:
        given: dict[str, dict[str, Any]] = {}
        for rule, tree in self._trees:
            if rule.tag not in given and evaluate(tree, lambda node, key: look_up(ctx, media, node, key)):
                given[rule.tag] = {"tag": rule.tag, "when": rule.when, "from": sorted(nodes_named(tree))}
        ctx.output(self.LABELS, list(given))
        ctx.output(self.PROVENANCE, list(given.values()))
        if self.options.collections:
            for tag in given:
                ctx.effect(f"add to collection {tag}", partial(ctx.collect, tag))
