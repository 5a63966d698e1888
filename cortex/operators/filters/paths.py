"""A filter by where the file lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions
from loom.model import Branch

if TYPE_CHECKING:
    from cortex.media import Media


class PathFilter(MediaNode[NodeOptions]):
    """Gives FAIL to all that its node's own `filter` lets in; what that keeps away passes by.

    The path is no part of the content: a verdict about it could not be kept, since it would hold for copies at other
    paths too. So the paths do not stand in `config`, but in the node's `filter`, which is asked anew for every file and
    of which nothing is kept; this operator only turns it into two branches:

        - {id: raw, operator: filter.path, filter: {path: ["raw/**", "**/*.dng"]}}

    FAIL leads on files below `raw` and those ending in `.dng`, PASS (and an edge without a label) all others. `kinds`,
    `mime` and `size` of `filter` narrow it further. Without a `filter` everything gets FAIL. To keep files from a
    pipeline as a whole, use `match.paths`. Ports `in` and `out`; gives no outputs; needs nothing, refuses no file.
    """

    operator = "filter.path"
    outputs = HANDS_ON
    reads = ()
    verdicts = True

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """FAIL."""
        ctx.verdict(Branch.FAIL, "its path fits the filter of the node")
