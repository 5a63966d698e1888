"""A filter that lets a part of the assets pass."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions
from loom.model import Branch

if TYPE_CHECKING:
    from cortex.media import Media


class SampleOptions(NodeOptions):
    fraction: float | None = Field(None, gt=0, le=1, description="How much of all passes, such as 0.01.")
    every: int | None = Field(None, ge=1, le=1_000_000_000, description="One of so many passes, such as 100.")
    seed: str = Field("", max_length=100, description="Another text gives another sample of the same size.")

    @model_validator(mode="after")
    def _says_how_many(self) -> SampleOptions:
        if (self.fraction is None) == (self.every is None):
            raise ValueError("give either fraction or every")
        return self


class SampleFilter(MediaNode[SampleOptions]):
    """Passes a part of the assets, the same on every machine and in every run.

    Whether an asset passes follows from its content and `seed` alone, so that a sample stays what it is when files are
    added, moved or walked in another order. Its size is therefore what was asked for on average: of 10,000 files and
    `every: 100` it is 100, give or take 20. A larger `fraction` with the same seed has all of a smaller one. Ports
    `in` and `out`; gives no outputs; needs nothing and refuses no file. `{fraction: 0.01, seed: may}` is an example.
    """

    operator = "filter.sample"
    outputs = HANDS_ON
    reads = ()
    verdicts = True

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS or FAIL."""
        seed = blake2b(self.options.seed.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        drawn = int.from_bytes(blake2b(media.asset.blake3, key=seed, digest_size=8).digest())
        if self.options.every is not None:
            passes = drawn % self.options.every == 0
        else:
            passes = drawn < (self.options.fraction or 0) * 2**64
        if not passes:
            ctx.verdict(Branch.FAIL, "not in the sample")
