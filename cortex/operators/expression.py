"""A filter by what the nodes before it found out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from cortex.expression import MEDIA, evaluate, parse
from cortex.expression.tree import MAX_LENGTH, nodes_named
from cortex.node import MediaNode, NodeContext, NodeOptions
from loom.model import Branch

if TYPE_CHECKING:
    from cortex.media import Media


class ExpressionOptions(NodeOptions):
    expression: str = Field(
        min_length=1,
        max_length=MAX_LENGTH,
        description='What must hold, such as `metadata.width >= 1920 and media.kind == "image"`.',
    )

    @field_validator("expression")
    @classmethod
    def _can_be_parsed(cls, expression: str) -> str:
        parse(expression)
        return expression


class ExpressionFilter(MediaNode[ExpressionOptions]):
    """Passes assets for which an expression holds.

    The expression compares outputs of the nodes before this one (`node.key`, `node.key.subkey`) and the facts
    `media.kind`, `media.mime` and `media.size` (bytes) with `== != < <= > >= in`, `not in`, joined by `and`, `or`,
    `not` and parentheses. Literals are strings, numbers (with a unit if wanted: bytes in
    powers of 1024 such as `10MB`, seconds such as `30s` or `5min`), lists,
    `true`, `false` and `null`. A value that is not there is null; null is neither smaller nor larger than anything.
    """

    operator = "filter.expression"
    verdicts = True

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._tree = parse(self.options.expression)

    def named_nodes(self) -> tuple[str, ...]:
        return tuple(sorted(nodes_named(self._tree)))

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS or FAIL."""
        holds = evaluate(self._tree, lambda node, key: look_up(ctx, media, node, key))
        if not holds:
            ctx.verdict(Branch.FAIL, f"this does not hold: {self.options.expression}")


def look_up(ctx: NodeContext, media: Media, node: str, key: str) -> Any:
    """The value of a node under a key, or a fact of the media."""
    if node != MEDIA:
        return ctx.upstream_output(node, key)
    return {"kind": media.kind.value, "mime": media.mime, "size": media.size}[key]
