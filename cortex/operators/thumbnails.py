"""Small pictures of images, videos and sound."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from loom.errors import LoomError
from loom.model import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media

_DRAWINGS = frozenset({"image/svg+xml", "image/wmf", "image/emf"})
_GAP = 2
_SMALLEST_CELL = 4


class ThumbnailOptions(NodeOptions):
    size: int = Field(512, ge=16, le=4096, description="The most pixels of the longer side; nothing is enlarged")
    format: Literal["webp", "jpeg"] = Field("webp", description="WebP is smaller, JPEG three milliseconds faster")
    quality: int = Field(80, ge=1, le=100, description="Of the encoder; 80 shows no faults at this size")
    cols: int = Field(3, ge=1, le=10, description="Columns of a video's contact sheet")
    rows: int = Field(3, ge=1, le=10, description="Rows of a video's contact sheet")


class Thumbnail(MediaNode[ThumbnailOptions]):
    """Makes a small picture: of an image the image, of a video a contact sheet of key frames, of sound its cover or
    the drawn waveform.

    The picture is the artifact `thumbnail`, RGB in sRGB, upright. A video with fewer different key frames than the
    sheet has places gets a smaller sheet, and so does one whose cells would be narrower than 4 pixels. Drawings without
    pixels (SVG, WMF, EMF) are not processed.
    """

    operator = "media.thumbnail"
    version = "2"
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.AUDIO})
    reads = ()
    verdicts = False
    WIDTH = OutputKey("width", int, "of the thumbnail, in pixels")
    HEIGHT = OutputKey("height", int, "of the thumbnail, in pixels")
    MEDIA_TYPE = OutputKey("media_type", str, "image/webp or image/jpeg")
    SOURCE = OutputKey("source", str, "what it shows: image, contact-sheet, cover or waveform")

    def wants(self) -> Wants:
        return Wants(image_side=self.options.size)

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and media.mime not in _DRAWINGS

    def compute(self, ctx: NodeContext, media: Media) -> None:
        picture, source = self._picture(media)
        data = self._encoded(picture)
        media_type = f"image/{self.options.format}"
        ctx.artifact("thumbnail", data, media_type)
        ctx.output(self.WIDTH, picture.width)
        ctx.output(self.HEIGHT, picture.height)
        ctx.output(self.MEDIA_TYPE, media_type)
        ctx.output(self.SOURCE, source)

    def _picture(self, media: Media) -> tuple[Image, str]:
        if media.kind is Kind.IMAGE:
            return media.image(self.options.size), "image"
        if media.kind is Kind.VIDEO:
            return self._contact_sheet(media), "contact-sheet"
        if media.probe().first("cover") is not None:
            # A damaged cover is no reason to go without a picture.
            with suppress(LoomError):
                return media.image(self.options.size), "cover"
        return self._waveform(media), "waveform"

    def _contact_sheet(self, media: Media) -> Image:
        """Frames row by row with a small gap between them, so that the longer side of the sheet is `size`."""
        from PIL import Image

        size = self.options.size
        most = (size + _GAP) // (_SMALLEST_CELL + _GAP)
        cols, rows = min(self.options.cols, most), min(self.options.rows, most)
        wanted = cols * rows
        frames = media.frames(wanted, size // min(cols, rows))
        if len(frames) < wanted:
            cols = min(cols, len(frames))
            rows = -(-len(frames) // cols)
            frames = media.frames(wanted, size // min(cols, rows))
        width, height = frames[0].size
        scale = min(1.0, (size - _GAP * (cols - 1)) / (width * cols), (size - _GAP * (rows - 1)) / (height * rows))
        cell = max(int(width * scale), 1), max(int(height * scale), 1)
        sheet = Image.new("RGB", (cols * (cell[0] + _GAP) - _GAP, rows * (cell[1] + _GAP) - _GAP))
        for number, frame in enumerate(frames):
            place = number % cols * (cell[0] + _GAP), number // cols * (cell[1] + _GAP)
            sheet.paste(frame.resize(cell, Image.Resampling.LANCZOS) if frame.size != cell else frame, place)
        return sheet

    def _waveform(self, media: Media) -> Image:
        """Peaks mirrored at the middle, four times as wide as high."""
        from PIL import Image, ImageDraw

        width = self.options.size
        height = max(width // 4, 8)
        image = Image.new("RGB", (width, height), (24, 26, 32))
        draw = ImageDraw.Draw(image)
        middle = height // 2
        for x, peak in enumerate(media.peaks(width).tolist()):
            reach = round(peak * (middle - 1))
            draw.line((x, middle - reach, x, middle + reach), fill=(96, 178, 255))
        return image

    def _encoded(self, picture: Image) -> bytes:
        buffer = io.BytesIO()
        if self.options.format == "webp":
            # Higher methods cost up to eight times as much for a tenth less bytes.
            picture.save(buffer, "WEBP", quality=self.options.quality, method=0)
        else:
            picture.save(buffer, "JPEG", quality=self.options.quality)
        return buffer.getvalue()
