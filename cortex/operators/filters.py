"""A filter by what the file is."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from cortex.node import MediaNode, NodeContext, NodeOptions
from cortex.operators.fields import Size
from loom.model import Branch, Kind

if TYPE_CHECKING:
    from cortex.media import Media


class MediaFilterOptions(NodeOptions):
    kinds: tuple[Kind, ...] = Field((), description="Kinds that pass; empty: all.")
    mime: tuple[str, ...] = Field((), description="Globs of media types that pass, such as `image/*`; empty: all.")
    min_size: Size | None = Field(None, description="The fewest bytes that pass, as a number or such as `10MB`.")
    max_size: Size | None = Field(None, description="The most bytes that pass.")

    @model_validator(mode="after")
    def _some_size_passes(self) -> MediaFilterOptions:
        if self.min_size is not None and self.max_size is not None and self.min_size > self.max_size:
            raise ValueError("min_size is larger than max_size: nothing could pass")
        return self


class MediaFilter(MediaNode[MediaFilterOptions]):
    """Passes files of certain kinds, types and sizes.

    A file passes when it fits every option that is given. It looks only at the content, never at names or paths, since
    its verdict is kept for every copy of that content; a node's own `filter` can look at the path.
    """

    operator = "filter.media"
    reads = ()
    verdicts = True

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS, or FAIL with the first reason against it."""
        reason = self._against(media.kind, media.mime, media.size)
        ctx.verdict(Branch.PASS if reason is None else Branch.FAIL, reason)

    def _against(self, kind: Kind, mime: str, size: int) -> str | None:
        options = self.options
        if options.kinds and kind not in options.kinds:
            return f"the kind is {kind.value}, not {' or '.join(options.kinds)}"
        if options.mime and not any(fnmatchcase(mime, glob.lower()) for glob in options.mime):
            return f"the type is {mime}, not {' or '.join(options.mime)}"
        if options.min_size is not None and size < options.min_size:
            return f"{size} bytes are fewer than {options.min_size}"
        if options.max_size is not None and size > options.max_size:
            return f"{size} bytes are more than {options.max_size}"
        return None
