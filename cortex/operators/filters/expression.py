"""A filter by what the nodes before it found out, with two ways or many."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from cortex.expression import MEDIA, evaluate, parse
from cortex.expression.tree import MAX_LENGTH, nodes_named
from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions, OutputKey
from loom.graph.ports import BUCKET, REST
from loom.model import Branch

if TYPE_CHECKING:
    from cortex.media import Media


def _checked(expression: str) -> str:
    parse(expression)
    return expression


Expression = Annotated[
    str,
    AfterValidator(_checked),
    Field(min_length=1, max_length=MAX_LENGTH, json_schema_extra={"format": "node-expression"}),
]


class Bucket(BaseModel):
    """One bucket, and what falls into it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
        description="Its name, and that of its port: lowercase letters, digits, hyphens and underscores.",
    )
    when: Expression = Field(description="What must hold, such as `media.size < 1MB`.")

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in ("out", REST):
            raise ValueError(f"{name!r} is the name of a port that is there already")
        return name


class ExpressionOptions(NodeOptions):
    expression: Expression | None = Field(
        None, description='What must hold, such as `metadata.width >= 1920 and media.kind == "image"`.'
    )
    buckets: tuple[Bucket, ...] = Field(
        (),
        max_length=100,
        description="In place of `expression`: the first that holds gets it, `other` the rest.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> ExpressionOptions:
        if (self.expression is None) is (not self.buckets):
            raise ValueError("give either expression or buckets")
        names = [bucket.name for bucket in self.buckets]
        if len(set(names)) < len(names):
            raise ValueError("two buckets have the same name")
        return self


class ExpressionFilter(MediaNode[ExpressionOptions]):
    """Passes assets for which an expression holds, or sorts them into buckets.

    The expression compares outputs of the nodes before this one (`node.key`, `node.key.subkey`) and the facts
    `media.kind`, `media.mime` and `media.size` (bytes) with `== != < <= > >= in`, `not in`, joined by `and`, `or`,
    `not` and parentheses. Literals are strings, numbers (with a unit if wanted: bytes in
    powers of 1024 such as `10MB`, seconds such as `30s` or `5min`), lists,
    `true`, `false` and `null`. A value that is not there is null; null is neither smaller nor larger than anything.

    With `buckets` the expressions are tried in their order; the asset falls into the bucket of the first that holds,
    else into `other`. Each bucket is an output port, and so is `other`: an edge from it is taken by the assets of that
    bucket alone. The verdict is FAIL for those of `other`. It refuses no file. An example:

        expression: media.size > 10MB and metadata.width >= 1920
    """

    operator = "filter.expression"
    outputs = HANDS_ON
    verdicts = True
    buckets = "buckets"
    BUCKET = OutputKey(BUCKET, str, "The bucket that the asset fell into; none without buckets.")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        expression = self.options.expression
        self._tree = None if expression is None else parse(expression)
        self._buckets = [(bucket.name, parse(bucket.when)) for bucket in self.options.buckets]

    def named_nodes(self) -> tuple[str, ...]:
        trees = [tree for _, tree in self._buckets] + ([] if self._tree is None else [self._tree])
        return tuple(sorted(set().union(*map(nodes_named, trees))))

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS or FAIL, and the bucket."""
        look = partial(look_up, ctx, media)
        if self._tree is not None:
            if not evaluate(self._tree, look):
                ctx.verdict(Branch.FAIL, f"this does not hold: {self.options.expression}")
            return
        bucket = next((name for name, tree in self._buckets if evaluate(tree, look)), REST)
        ctx.output(self.BUCKET, bucket)
        if bucket == REST:
            ctx.verdict(Branch.FAIL, "it fits no bucket")


def look_up(ctx: NodeContext, media: Media, node: str, key: str) -> Any:
    """The value of a node under a key, or a fact of the media."""
    if node != MEDIA:
        return ctx.upstream_output(node, key)
    return {"kind": media.kind.value, "mime": media.mime, "size": media.size}[key]
