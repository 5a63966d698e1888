"""Filters what is there already."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions
from cortex.operators.similarity.likeness import Distance, NodeId, alike, copies_that_lie, likeness_of
from loom.model import Branch

if TYPE_CHECKING:
    from cortex.media import Media


class DuplicateFilterOptions(NodeOptions):
    by: Literal["content", "similar"] = Field(
        "content", description="What makes a duplicate: the same bytes, or a fingerprint that is near."
    )
    of: NodeId | None = Field(
        None, description="With `by: similar`: the node whose fingerprints are compared, as in `dedup.similar`."
    )
    distance: Distance | None = Field(
        None, description="With `by: similar`: as in `dedup.similar`, the most bits of 64 in which they differ."
    )
    elsewhere: bool = Field(True, description="Whether what lies only on other machines counts.")

    @model_validator(mode="after")
    def _of_is_named(self) -> DuplicateFilterOptions:
        if self.by == "similar" and self.of is None:
            raise ValueError("by similar, say the node whose fingerprints are compared: of")
        if self.by == "content" and (self.of is not None or self.distance is not None):
            raise ValueError("of and distance belong to by: similar")
        return self


class DuplicateFilter(MediaNode[DuplicateFilterOptions]):
    """Passes what is new, and rejects what is there already.

    `by: content` looks at the places where the same bytes lie: PASS if this file is the only one that is present, FAIL
    if there is another. Content that comes to be known in a run passes at the first of its files; further copies in
    that run are not walked. `by: similar` looks at the fingerprints of the node `of`: FAIL if an asset is near that was
    known before this one (of two that became known at once, one passes) and of which a file is present or out of reach.
    So of several that are alike the first passes, however often they are walked. With `elsewhere: false` only files on
    this machine count. Where `of` gave no fingerprint that says anything the verdict is PASS.

    The verdict hangs on what else there is, so it is asked anew at each walk of the asset (files that are unchanged are
    not walked); a file that is moved does not count as its own copy. In a dry run nothing was stored, so that only what
    was stored before counts.

    Ports `in` and `out`; gives no outputs; `by: similar` needs the node `of` before it. It refuses no file; without a
    Loom it fails with `LOOM_UNREACHABLE`. An example, before a `sink.copy` into an archive:
    `{id: is-new, operator: filter.duplicate}`.
    """

    operator = "filter.duplicate"
    outputs = HANDS_ON
    reads = ()
    verdicts = True
    capabilities = frozenset({"database", "anew"})

    def named_nodes(self) -> tuple[str, ...]:
        return () if self.options.of is None else (self.options.of,)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS, or FAIL with the reason."""
        of = self.options.of
        reason = self._same(ctx, media) if of is None else self._like(ctx, media, of)
        ctx.verdict(Branch.PASS if reason is None else Branch.FAIL, reason)

    def _same(self, ctx: NodeContext, media: Media) -> str | None:
        own = (platform.node(), os.fsencode(media.path))
        others = [copy for copy in copies_that_lie(ctx.library.copies(media.asset.blake3)) if copy[:2] != own]
        if not self.options.elsewhere:
            others = [copy for copy in others if copy.host == own[0]]
        return f"the same content lies at {os.fsdecode(others[0].path)}" if others else None

    def _like(self, ctx: NodeContext, media: Media, of: str) -> str | None:
        likeness = likeness_of(ctx, of)
        if likeness is None:
            return None
        own, others = alike(ctx.library, likeness, self.options.distance, media.asset.blake3)
        for other in others:
            if own is not None and (own.since, own.asset) < (other.since, other.asset):
                continue
            if self.options.elsewhere or self._lies_here(ctx, other.asset):
                return f"asset {other.asset.hex()[:16]} differs by {other.distance} bits of 64"
        return None

    @staticmethod
    def _lies_here(ctx: NodeContext, asset: bytes) -> bool:
        here = platform.node()
        return any(copy.host == here for copy in copies_that_lie(ctx.library.copies(asset)))
