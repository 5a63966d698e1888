"""Filters by what earlier nodes gave: numbers within bounds, and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, FiniteFloat, model_validator

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions
from cortex.operators.references import ValueName, nodes_of, number_of, texts_of, value_of
from loom.model import Branch

if TYPE_CHECKING:
    from cortex.media import Media


class QualityOptions(NodeOptions):
    at_least: dict[ValueName, FiniteFloat] = Field({}, description="The smallest number that passes, by `node.key`.")
    at_most: dict[ValueName, FiniteFloat] = Field({}, description="The largest number that passes, by `node.key`.")
    missing: Literal["PASS", "FAIL"] = Field("FAIL", description="The verdict where a value is not there or no number.")

    @model_validator(mode="after")
    def _some_number_passes(self) -> QualityOptions:
        if not self.at_least and not self.at_most:
            raise ValueError("give at_least, at_most or both")
        for name in self.at_least.keys() & self.at_most.keys():
            if self.at_least[name] > self.at_most[name]:
                raise ValueError(f"at_least is larger than at_most for {name}: nothing could pass")
        return self


class QualityFilter(MediaNode[QualityOptions]):
    """Passes assets whose numbers lie within bounds.

    The numbers are outputs of earlier nodes, whatever they measure; the bounds themselves pass, and all must hold:
    `{at_least: {quality.sharpness: 0.3, metadata.width: 1920}, at_most: {quality.noise: 0.1}}`. Ports `in` and `out`;
    gives no outputs; needs the nodes that it names before it. It refuses nothing: where a number is not there, as on
    an asset for which the node was skipped, the verdict is `missing`.
    """

    operator = "filter.quality"
    outputs = HANDS_ON
    reads = ()
    verdicts = True

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_of([*self.options.at_least, *self.options.at_most])

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS, or FAIL with the first reason against it."""
        options = self.options
        numbers = {name: number_of(value_of(ctx, name)) for name in sorted({*options.at_least, *options.at_most})}
        lacking = [name for name, number in numbers.items() if number is None]
        if (reason := self._against({n: number for n, number in numbers.items() if number is not None})) is not None:
            ctx.verdict(Branch.FAIL, reason)
        elif lacking:
            ctx.verdict(Branch(options.missing), f"there is no number in {lacking[0]}")

    def _against(self, numbers: dict[str, float]) -> str | None:
        options = self.options
        for name, number in numbers.items():
            if name in options.at_least and number < options.at_least[name]:
                return f"{name} is {number:g}, less than {options.at_least[name]:g}"
            if name in options.at_most and number > options.at_most[name]:
                return f"{name} is {number:g}, more than {options.at_most[name]:g}"
        return None


class TagOptions(NodeOptions):
    values: tuple[ValueName, ...] = Field(
        min_length=1,
        max_length=100,
        description="Where tags are looked for: `node.key` of texts, such as `tag.labels` or `metadata.keywords`.",
    )
    any: tuple[str, ...] = Field((), max_length=1000, description="At least one of these must be there; empty: none.")
    all: tuple[str, ...] = Field((), max_length=1000, description="Each of these must be there.")
    none: tuple[str, ...] = Field((), max_length=1000, description="None of these may be there.")

    @model_validator(mode="after")
    def _something_is_asked(self) -> TagOptions:
        if not (self.any or self.all or self.none):
            raise ValueError("give any, all or none")
        return self


class TagFilter(MediaNode[TagOptions]):
    """Passes assets by their tags.

    Tags are texts, or lists of texts, that earlier nodes gave: the `labels` of a `sink.tag`, the `keywords` of a file.
    Upper and lower case are one. `{values: [tag.labels, metadata.keywords], any: [holiday], none: [private]}` is an
    example. Ports `in` and `out`; gives no outputs; needs the nodes that it names before it. It refuses nothing: an
    asset without tags has none. What is in a collection of Loom, but not said by a node before it, is not seen: that
    may change at any time, and a verdict is kept.
    """

    operator = "filter.tag"
    outputs = HANDS_ON
    reads = ()
    verdicts = True

    def named_nodes(self) -> tuple[str, ...]:
        return nodes_of(self.options.values)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS, or FAIL with the reason."""
        options = self.options
        there = {text.casefold() for name in options.values for text in texts_of(value_of(ctx, name))}
        lacking = [tag for tag in options.all if tag.casefold() not in there]
        unwanted = [tag for tag in options.none if tag.casefold() in there]
        if lacking:
            ctx.verdict(Branch.FAIL, f"it has no tag {lacking[0]}")
        elif unwanted:
            ctx.verdict(Branch.FAIL, f"it has the tag {unwanted[0]}")
        elif options.any and not any(tag.casefold() in there for tag in options.any):
            ctx.verdict(Branch.FAIL, f"it has no tag of {', '.join(options.any[:10])}")
