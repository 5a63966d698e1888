"""Filters by what the file is."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from cortex.node import HANDS_ON, MediaNode, NodeContext, NodeOptions
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
    its verdict is kept for every copy of that content; a node's own `filter` can look at the path. It refuses no file.
    `{kinds: [image], min_size: 10kB}` passes pictures that are not tiny.
    """

    operator = "filter.media"
    outputs = HANDS_ON
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
        if options.mime and not _fits(mime, options.mime):
            return f"the type is {mime}, not {' or '.join(options.mime)}"
        return _against_size(size, options.min_size, options.max_size)


class MimeFilterOptions(NodeOptions):
    types: tuple[str, ...] = Field(
        ("*",),
        min_length=1,
        description="Globs of media types that pass, such as `image/*`; upper and lower case are one.",
    )
    besides: tuple[str, ...] = Field((), description="Globs of media types that do not pass, though `types` has them.")


class MimeFilter(MediaNode[MimeFilterOptions]):
    """Passes files of certain media types.

    The type is told from the content, never from the name; what is not recognised is `application/octet-stream`. Ports
    `in` and `out`; gives no outputs; needs nothing. It refuses no file: an empty or damaged one has the type that its
    first bytes tell. `{types: ["image/*"], besides: [image/gif]}` passes every picture that is no GIF.
    """

    operator = "filter.mime"
    outputs = HANDS_ON
    reads = ()
    verdicts = True

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS, or FAIL with the reason."""
        mime = media.mime
        if not _fits(mime, self.options.types):
            ctx.verdict(Branch.FAIL, f"the type is {mime}, not {' or '.join(self.options.types)}")
        elif _fits(mime, self.options.besides):
            ctx.verdict(Branch.FAIL, f"the type is {mime}, which is left out")


class SizeFilterOptions(NodeOptions):
    min: Size | None = Field(None, description="The fewest bytes that pass, as a number or such as `10MB`.")
    max: Size | None = Field(None, description="The most bytes that pass.")

    @model_validator(mode="after")
    def _some_size_passes(self) -> SizeFilterOptions:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is larger than max: nothing could pass")
        return self


class SizeFilter(MediaNode[SizeFilterOptions]):
    """Passes files of certain sizes.

    Both bounds pass. Sizes are bytes, or texts such as `10MB` in powers of 1024. Ports `in` and `out`; gives no
    outputs; needs nothing and refuses no file. `{min: 10kB, max: 4GB}` keeps away what is small or huge.
    """

    operator = "filter.size"
    outputs = HANDS_ON
    reads = ()
    verdicts = True

    def compute(self, ctx: NodeContext, media: Media) -> None:
        """PASS, or FAIL with the reason."""
        reason = _against_size(media.size, self.options.min, self.options.max)
        ctx.verdict(Branch.PASS if reason is None else Branch.FAIL, reason)


def _fits(mime: str, globs: Iterable[str]) -> bool:
    return any(fnmatchcase(mime, glob.lower()) for glob in globs)


def _against_size(size: int, fewest: int | None, most: int | None) -> str | None:
    if fewest is not None and size < fewest:
        return f"{size} bytes are fewer than {fewest}"
    if most is not None and size > most:
        return f"{size} bytes are more than {most}"
    return None
