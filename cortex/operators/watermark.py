"""A text or a picture laid over pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.drawings import has_pixels
from cortex.operators.picture_files import Encoding, Format, encoded, with_opacity
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media

_WHOLE = 1 << 20
"""A side that no picture has that can be decoded."""
_TALLEST = 0.5
_WRITTEN = frozenset(map(chr, (10, *range(32, 127)))) | frozenset("©«°±´·»‘’“”…‹›⁄™")
"""What the font that comes with Pillow has."""
_PLACES = {"left": 0.0, "center": 0.5, "right": 1.0, "top": 0.0, "middle": 0.5, "bottom": 1.0}

Position = Literal[
    "top left", "top center", "top right", "middle left", "middle center", "middle right",
    "bottom left", "bottom center", "bottom right",
]  # fmt: skip


class WatermarkOptions(NodeOptions):
    text: str | None = Field(None, min_length=1, max_length=200, description="What is written, if it is no picture")
    picture: str | None = Field(
        None, min_length=1, max_length=4096, description="Path of the picture that is laid over, best one with alpha"
    )
    position: Position = Field("bottom right", description="Where the mark stands")
    opacity: float = Field(0.6, gt=0, le=1, description="1 hides what is below")
    width: float = Field(0.25, ge=0.01, le=1, description="Of the mark, as a fraction of the picture's width")
    margin: float = Field(0.03, ge=0, le=0.4, description="Free of the mark, as a fraction of the shorter side")
    color: str = Field("#ffffff", pattern=r"^#[0-9a-fA-F]{6}$", description="Of the text; its outline is in contrast")
    font: str | None = Field(
        None,
        min_length=1,
        max_length=4096,
        description="Path of a TrueType or OpenType font; without it ASCII, ©, ™ and ° can be written",
    )
    size: int | None = Field(None, ge=16, le=16_384, description="The most pixels of the result's longer side")
    format: Format = Field("jpeg", description="Of the file that is made")
    quality: int = Field(85, ge=1, le=100, description="Of the encoder, for JPEG, WebP and AVIF")

    @model_validator(mode="after")
    def _one_mark(self) -> WatermarkOptions:
        if (self.text is None) == (self.picture is None):
            raise ValueError("give either a text or a picture")
        if self.text is not None and not self.text.strip():
            raise ValueError("the text is empty")
        if self.text is not None and self.font is None and (unknown := set(self.text) - _WRITTEN):
            raise ValueError(f"{min(unknown)!r} cannot be written without `font`: give the path of one that has it")
        return self


class Watermark(MediaNode[WatermarkOptions]):
    """Makes a copy of a picture with a text or another picture over it.

    The mark is as wide as `width` says, but never higher than half of the picture nor larger than what `margin` leaves,
    and stands at `position`. A text has an outline, so that it can be read on any ground. The copy is the artifact
    `watermarked`, upright, in sRGB, with no metadata; PNG, WebP, AVIF and TIFF keep transparency, JPEG has white there.

    `picture` and `font` are read once, when a run begins; without them nothing runs (REQUIREMENT_MISSING). A result is
    reused as long as their paths are the same: give a changed one a new name. Of an animation the first picture is
    taken. Drawings without pixels (SVG, WMF, EMF) are not processed. Refuses FORMAT_UNSUPPORTED (no decoder),
    FILE_DAMAGED, FILE_TRUNCATED and FILE_TOO_LARGE (too many pixels, or for the format).
    `{text: Studio M, position: bottom right, opacity: 0.5}` is an example.
    """

    operator = "media.watermark"
    kinds = frozenset({Kind.IMAGE})
    reads = ()
    verdicts = False
    outputs = (Port(id="out", content_type="artifact/watermarked"),)
    WIDTH = OutputKey("width", int, "of the copy, in pixels")
    HEIGHT = OutputKey("height", int, "of the copy, in pixels")
    MEDIA_TYPE = OutputKey("media_type", str, "of the copy, such as image/jpeg")
    BOX = OutputKey("box", list, "left, top, width and height of the mark, in pixels of the copy")

    _mark: Image | None = None

    def open(self) -> None:
        from cortex.operators import watermark_marks

        options = self.options
        if options.picture is not None:
            self._mark = watermark_marks.picture(options.picture)
        else:
            self._mark = watermark_marks.text(options.text or "", options.color, options.font)
        if options.opacity < 1:
            faded = self._mark.getchannel("A").point(lambda value: round(value * options.opacity))
            self._mark.putalpha(faded)

    def close(self) -> None:
        self._mark = None

    def wants(self) -> Wants:
        return Wants(image_side=self.options.size or _WHOLE)

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        side = self.options.size or _WHOLE
        shown, opacity = media.image(side), media.opacity(side)
        how = Encoding(self.options.format, self.options.quality)
        copy = shown.copy() if opacity is None or not how.keeps_opacity else with_opacity(shown, opacity)
        box = self._lay_over(copy)
        ctx.artifact("watermarked", encoded(copy, how), how.media_type)
        ctx.output(self.WIDTH, copy.width)
        ctx.output(self.HEIGHT, copy.height)
        ctx.output(self.MEDIA_TYPE, how.media_type)
        ctx.output(self.BOX, list(box))

    def _lay_over(self, copy: Image) -> tuple[int, int, int, int]:
        """Draws the mark; returns where."""
        from PIL import Image

        assert self._mark is not None, "the engine calls open() first"
        margin = round(min(copy.size) * self.options.margin)
        room = max(copy.width - 2 * margin, 1), max(copy.height - 2 * margin, 1)
        limits = min(copy.width * self.options.width, room[0]), min(copy.height * _TALLEST, room[1])
        scale = min(limits[0] / self._mark.width, limits[1] / self._mark.height)
        size = max(round(self._mark.width * scale), 1), max(round(self._mark.height * scale), 1)
        mark = self._mark.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        vertical, horizontal = self.options.position.split()
        left = margin + round((room[0] - size[0]) * _PLACES[horizontal])
        top = margin + round((room[1] - size[1]) * _PLACES[vertical])
        if copy.mode == "RGBA":
            copy.alpha_composite(mark, (left, top))
        else:
            copy.paste(mark, (left, top), mark)
        return left, top, *size
