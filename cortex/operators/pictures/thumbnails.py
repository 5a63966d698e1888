"""Small pictures of images, videos and sound."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from cortex.derived import asset_or_file
from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.pictures.contact_sheets import Grid
from cortex.operators.pictures.drawings import has_pixels
from cortex.operators.references import ValueName, nodes_of, value_of
from loom.errors import LoomError
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media

_PREVIEW_FRAMES, _PREVIEW_SIDE, _PREVIEW_MS = 12, 320, 500
_CROPPED_FROM = 2
"""How many times larger than the part that is cut out a picture usually is at most."""
Side = Annotated[int, Field(ge=16, le=4096)]
Fraction = Annotated[float, Field(ge=0, le=1)]
CENTER, FACES = "center", "faces"


class ThumbnailOptions(NodeOptions):
    """Options that came later are left out of the config as long as they stand at their default, so that results from
    before keep their signature."""

    size: Side = Field(512, description="The most pixels of the longer side; nothing is enlarged")
    format: Literal["webp", "jpeg"] = Field("webp", description="WebP is smaller, JPEG three milliseconds faster")
    quality: int = Field(80, ge=1, le=100, description="Of the encoder; 80 shows no faults at this size")
    cols: int = Field(3, ge=1, le=10, description="Columns of a video's contact sheet")
    rows: int = Field(3, ge=1, le=10, description="Rows of a video's contact sheet")
    sizes: tuple[Side, ...] = Field(
        (),
        max_length=8,
        description="More sizes of the same, as thumbnail-SIZE each",
        exclude_if=lambda given: not given,
    )
    aspect: str | None = Field(
        None,
        pattern=r"^[1-9]\d{0,3}:[1-9]\d{0,3}$",
        description="Images and covers are cut to this shape, width to height, as 1:1",
        exclude_if=lambda given: given is None,
    )
    focus: Literal["center", "detail", "faces"] | tuple[Fraction, Fraction] = Field(
        "center",
        description=(
            "What a cut keeps: the center, where most detail is, a point (fractions from left and top), or faces, and "
            "the center where there are none"
        ),
        exclude_if=lambda given: given == CENTER,
    )
    faces: ValueName | None = Field(
        None,
        description="What a cut keeps before all: the faces of a node vision.faces, as faces.faces",
        validate_default=True,
        exclude_if=lambda given: given is None,
    )
    preview: bool = Field(
        False, description="An animated picture of a video besides", exclude_if=lambda given: not given
    )

    @field_validator("faces")
    @classmethod
    def _usual_faces(cls, faces: str | None, told: ValidationInfo) -> str | None:
        return "faces.faces" if faces is None and told.data.get("focus") == FACES else faces

    @model_validator(mode="after")
    def _faces_for_a_cut(self) -> ThumbnailOptions:
        if self.faces is not None and self.aspect is None:
            raise ValueError("faces decide what a cut keeps: give the `aspect` too")
        return self


class Thumbnail(MediaNode[ThumbnailOptions]):
    """Makes a small picture: of an image the image, of a video a contact sheet of key frames, of sound its cover or
    the drawn waveform.

    The picture is the artifact `thumbnail`, RGB in sRGB, upright; `thumbnail-256` and the like are the same in other
    `sizes`, made from one decode. A video with fewer different key frames than the sheet has places gets a smaller
    sheet, and so does one whose cells would be narrower than 4 pixels. Where other nodes watch the whole video, the
    frames are taken in the same pass. With `aspect` images and covers are cut to a shape, at `focus`: `detail` is where
    neighbouring pixels differ most. With `focus: faces` images are cut so that the faces which the node `faces`
    (`vision.faces`, or another that `faces` names) has found stay in the picture: all of them with some room where they
    fit, else as many as do, large ones first. Nothing is detected a second time; that node must come before.

    With `preview` a video of at least two different key frames gets the artifact `preview` too: an animated WebP of at
    most 12 of them, half a second each, 320 pixels at most. Drawings without pixels (SVG, WMF, EMF) are not processed.
    Refuses FORMAT_UNSUPPORTED (no decoder), FILE_DAMAGED, FILE_TRUNCATED and FILE_TOO_LARGE (too many pixels).
    `{size: 1024, sizes: [256], preview: true}` is an example.
    """

    operator = "media.thumbnail"
    version = "2"
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.AUDIO})
    reads = ()
    verdicts = False
    inputs = asset_or_file("image")
    outputs = (
        Port(id="out", content_type="artifact/image", key="thumbnail"),
        Port(id="preview", content_type="artifact/image", key="preview", description="the animated preview"),
    )
    WIDTH = OutputKey("width", int, "of the thumbnail, in pixels")
    HEIGHT = OutputKey("height", int, "of the thumbnail, in pixels")
    MEDIA_TYPE = OutputKey("media_type", str, "image/webp or image/jpeg")
    SOURCE = OutputKey("source", str, "what it shows: image, contact-sheet, cover or waveform")
    PREVIEW_FRAMES = OutputKey("preview_frames", int, "how many frames the preview has; left out without one")

    def named_nodes(self) -> tuple[str, ...] | None:
        return None if self.options.faces is None else nodes_of([self.options.faces])

    def wants(self) -> Wants:
        stills = {(self._grid.places, self._grid.frame_side)}
        if self.options.preview:
            stills.add((_PREVIEW_FRAMES, self._preview_side))
        cropped = 1 if self.options.aspect is None else _CROPPED_FROM
        return Wants(image_side=self._largest * cropped, stills=frozenset(stills))

    @property
    def _largest(self) -> int:
        return max(self.options.size, *self.options.sizes) if self.options.sizes else self.options.size

    @property
    def _preview_side(self) -> int:
        return min(self._largest, _PREVIEW_SIDE)

    @property
    def _grid(self) -> Grid:
        return Grid.fitting(self.options.cols, self.options.rows, self.options.size, self._largest)

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        picture, source = self._picture(ctx, media, self.options.size)
        media_type = f"image/{self.options.format}"
        ctx.artifact("thumbnail", self._encoded(picture), media_type)
        for size in self.options.sizes:
            ctx.artifact(f"thumbnail-{size}", self._encoded(self._picture(ctx, media, size)[0]), media_type)
        ctx.output(self.WIDTH, picture.width)
        ctx.output(self.HEIGHT, picture.height)
        ctx.output(self.MEDIA_TYPE, media_type)
        ctx.output(self.SOURCE, source)
        if self.options.preview and media.kind is Kind.VIDEO:
            self._preview(ctx, media)

    def _picture(self, ctx: NodeContext, media: Media, size: int) -> tuple[Image, str]:
        if media.kind is Kind.IMAGE:
            return self._still(ctx, media, size), "image"
        if media.kind is Kind.VIDEO:
            return self._grid.sheet(media, size, ctx.progress), "contact-sheet"
        if media.probe().first("cover") is not None:
            # A damaged cover is no reason to go without a picture.
            with suppress(LoomError):
                return self._still(ctx, media, size), "cover"
        return _waveform(media, size), "waveform"

    def _still(self, ctx: NodeContext, media: Media, size: int) -> Image:
        if self.options.aspect is None:
            return media.image(size)
        from cortex.operators.pictures.thumbnail_crops import around, cropped, side_for

        across, down = map(int, self.options.aspect.split(":"))
        side = size * _CROPPED_FROM
        if media.kind is Kind.IMAGE:
            probe = media.probe()
            side = side_for((probe.width or 1, probe.height or 1), across / down, size)
        shown, point = media.image(side), None
        if self.options.faces is not None and media.kind is Kind.IMAGE:
            point = around(value_of(ctx, self.options.faces), across / down, shown.size)
        otherwise = self.options.focus
        return cropped(shown, across / down, point or ("center" if otherwise == "faces" else otherwise), size)

    def _preview(self, ctx: NodeContext, media: Media) -> None:
        frames = media.frames(_PREVIEW_FRAMES, self._preview_side, ctx.progress)
        if len(frames) < 2:
            return
        buffer = io.BytesIO()
        options = {"save_all": True, "append_images": frames[1:], "duration": _PREVIEW_MS, "loop": 0}
        frames[0].save(buffer, "WEBP", quality=self.options.quality, method=0, **options)
        ctx.artifact("preview", buffer.getvalue(), "image/webp")
        ctx.output(self.PREVIEW_FRAMES, len(frames))

    def _encoded(self, picture: Image) -> bytes:
        buffer = io.BytesIO()
        if self.options.format == "webp":
            # Higher methods cost up to eight times as much for a tenth less bytes.
            picture.save(buffer, "WEBP", quality=self.options.quality, method=0)
        else:
            picture.save(buffer, "JPEG", quality=self.options.quality)
        return buffer.getvalue()


def _waveform(media: Media, width: int) -> Image:
    """Peaks mirrored at the middle, four times as wide as high."""
    from PIL import Image, ImageDraw

    height = max(width // 4, 8)
    image = Image.new("RGB", (width, height), (24, 26, 32))
    draw = ImageDraw.Draw(image)
    middle = height // 2
    for x, peak in enumerate(media.peaks(width).tolist()):
        reach = round(peak * (middle - 1))
        draw.line((x, middle - reach, x, middle + reach), fill=(96, 178, 255))
    return image
