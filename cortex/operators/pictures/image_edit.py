"""Pictures cropped, resized and written in another format."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cortex.derived import asset_or_file
from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.pictures.drawings import has_pixels
from cortex.operators.pictures.picture_files import Encoding, Format, encoded
from cortex.operators.pictures.picture_geometry import Box, Fit, Layout, Size, Wanted, cut_out, laid_out
from loom.errors import LoomError
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media

_MOST_PIXELS = 100_000_000
_WHOLE = 1 << 20
"""A side that no picture has that can be decoded."""
_SPARE = 1.5
"""How much longer the picture may be than the part that is wanted of it, as far as can be told beforehand."""
SRGB = "srgb"
Fraction = Annotated[float, Field(ge=0, le=1)]
Side = Annotated[int, Field(ge=1, le=16_384)]


class CropBox(BaseModel):
    """A part of a picture as it is seen upright; what lies outside is cut off."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    left: float = Field(0, ge=0, le=1_000_000)
    top: float = Field(0, ge=0, le=1_000_000)
    width: float = Field(gt=0, le=1_000_000)
    height: float = Field(gt=0, le=1_000_000)
    unit: Literal["pixels", "percent"] = Field("pixels", description="Percent of the whole width and height")

    def of(self, size: Size) -> Box:
        """In whole pixels of a picture of `size`."""
        wide, high = (size[0] / 100, size[1] / 100) if self.unit == "percent" else (1.0, 1.0)
        left, top = round(self.left * wide), round(self.top * high)
        right, bottom = round((self.left + self.width) * wide), round((self.top + self.height) * high)
        return Box(left, top, right - left, bottom - top)


class ImageEditOptions(NodeOptions):
    crop: CropBox | None = Field(None, description="The part to keep: left, top, width, height, unit")
    aspect: str | None = Field(
        None, pattern=r"^[1-9]\d{0,3}:[1-9]\d{0,3}$", description="Width to height, as 16:9; the rest is cut off"
    )
    focus: tuple[Fraction, Fraction] = Field(
        (0.5, 0.5), description="The point that cuts keep, as fractions of the upright picture from its left and top"
    )
    width: Side | None = Field(None, description="Of the result, in pixels")
    height: Side | None = Field(None, description="Of the result, in pixels; without it, and without width, as it is")
    fit: Fit = Field(
        "inside",
        description="inside: no side is larger; fill: cut to this shape; pad: with background; exact: stretched",
    )
    enlarge: bool = Field(False, description="Whether pictures smaller than width and height are made larger")
    background: str = Field(
        "#ffffff",
        pattern=r"^(#[0-9a-fA-F]{6}|transparent)$",
        description="Beside a picture that is padded, and under transparent parts where the format has none",
    )
    format: Format = Field("jpeg", description="Of the file that is made")
    quality: int = Field(85, ge=1, le=100, description="Of the encoder, for JPEG, WebP and AVIF")
    metadata: Literal["strip", "keep"] = Field(
        "strip", description="keep: EXIF with the place of capture, XMP, and a colour profile"
    )
    profile: Literal["srgb", "keep"] = Field(
        "srgb",
        description="keep: colours stay as they are, with the original's profile; srgb: they are converted",
        exclude_if=lambda given: given == SRGB,
    )

    @model_validator(mode="after")
    def _sizes_that_can_be(self) -> ImageEditOptions:
        if self.fit != "inside" and (self.width is None or self.height is None):
            raise ValueError(f"fit {self.fit} needs both width and height")
        if (self.width or 1) * (self.height or 1) > _MOST_PIXELS:
            raise ValueError(f"width x height may be at most {_MOST_PIXELS:,} pixels")
        return self


class ImageEdit(MediaNode[ImageEditOptions]):
    """Makes another picture of a picture: upright, cropped, resized, padded, in another format.

    In this order: turned as its EXIF orientation asks; cut to `crop`; cut to `aspect`; brought to `width` and `height`
    as `fit` says; encoded. The file is the artifact `edited`; the original stays as it is. Transparency is kept by PNG,
    WebP, AVIF and TIFF and laid on `background` by JPEG. Nothing is enlarged without `enlarge`, but for `exact`; of
    `fill` the shape holds then, and of `pad` the size. The original is decoded only as large as the result needs it.

    Grey pictures stay grey as JPEG, PNG and TIFF, unless they are padded with a colour; WebP and AVIF have colours
    always. PNG and TIFF files of 16 bits a channel (not of floating point) stay so as PNG and TIFF; all else has 8:
    the other formats, other originals (HEIC, AVIF and JPEG 2000 of more bits too), pictures of more than 25 million
    pixels, and those whose profile is converted. `profile: srgb` brings colours to sRGB; with `keep` they stay what
    they are and the file has the profile, and `background` is taken for a colour of that profile; CMYK, Lab and
    palettes become sRGB even so, and grey as WebP and AVIF.

    With `metadata: keep` the file has the EXIF of the original (without its preview and maker notes, the orientation
    set right), its XMP and, in colour, the profile of sRGB or the original's; else none of them but a profile that is
    kept. A TIFF file with them is not compressed, and one of 16 bits has no EXIF.

    Of an animation the first picture is taken. Drawings without pixels (SVG, WMF, EMF) are not processed. Refuses
    FORMAT_UNSUPPORTED (no decoder), FILE_DAMAGED, FILE_TRUNCATED, FILE_TOO_LARGE (too many pixels, of the original, of
    the result, or for the format) and OPERATOR_FAILED (`crop` lies outside of the picture).
    `{width: 1920, height: 1080, fit: inside, format: webp, metadata: keep}` is an example.
    """

    operator = "image.edit"
    version = "2"
    kinds = frozenset({Kind.IMAGE})
    reads = ()
    verdicts = False
    inputs = asset_or_file("image")
    outputs = (Port(id="out", content_type="artifact/image", key="edited"),)
    WIDTH = OutputKey("width", int, "of the result, in pixels")
    HEIGHT = OutputKey("height", int, "of the result, in pixels")
    MEDIA_TYPE = OutputKey("media_type", str, "of the result, such as image/jpeg")
    BYTES = OutputKey("bytes", int, "of the result")

    def open(self) -> None:
        for name in ("numpy", "PIL.ImageCms", "PIL.AvifImagePlugin", "cortex.operators.pictures.picture_colours"):
            import_module(name)

    def wants(self) -> Wants:
        sides = [side for side in (self.options.width, self.options.height) if side is not None]
        if not sides or self.options.crop is not None:
            return Wants(image_side=_WHOLE)
        cuts = self.options.fit == "fill" or self.options.aspect is not None
        return Wants(image_side=int(max(sides) * (_SPARE if cuts else 1)))

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        options = self.options
        how = Encoding(options.format, options.quality, media.probe() if options.metadata == "keep" else None)
        (width, height), data = self._edited(media, how)
        ctx.artifact("edited", data, how.media_type)
        ctx.output(self.WIDTH, width)
        ctx.output(self.HEIGHT, height)
        ctx.output(self.MEDIA_TYPE, how.media_type)
        ctx.output(self.BYTES, len(data))

    def _edited(self, media: Media, how: Encoding) -> tuple[Size, bytes]:
        """Width and height of the result, and the file."""
        from cortex.operators.pictures import deep_pictures
        from cortex.operators.pictures.picture_colours import source_of

        probe = media.probe()
        size = probe.width or 1, probe.height or 1
        layout = self._layout(size)
        if layout.canvas[0] * layout.canvas[1] > _MOST_PIXELS:
            raise LoomError("FILE_TOO_LARGE", f"the result would have {layout.canvas[0]} x {layout.canvas[1]} pixels")
        source = source_of(media, layout.side(size), how, self.options.profile)
        how = how._replace(icc=source.icc)
        if source.deep is not None:
            pixels = deep_pictures.edited(source.deep, size, layout, self.options.background)
            return (pixels.shape[1], pixels.shape[0]), deep_pictures.encoded(pixels, how, is_grey=source.is_grey)
        result = self._on_canvas(cut_out(source.shown, size, layout), layout, how)
        if source.is_grey:
            sees_ground = layout.canvas != layout.content or (source.shown.mode == "RGBA" and not how.keeps_opacity)
            if sees_ground and not self._ground_is_grey:
                how = how._replace(icc=None)
            else:
                result = result.convert("LA" if result.mode == "RGBA" else "L")
        return result.size, encoded(result, how)

    @property
    def _ground_is_grey(self) -> bool:
        ground = self.options.background
        return ground == "transparent" or ground[1:3].lower() == ground[3:5].lower() == ground[5:7].lower()

    def _layout(self, size: Size) -> Layout:
        options = self.options
        box = options.crop.of(size).within(size) if options.crop is not None else Box(0, 0, *size)
        if box is None:
            raise LoomError("OPERATOR_FAILED", f"`crop` lies outside of the picture of {size[0]} x {size[1]} pixels")
        if options.aspect is not None:
            across, down = map(int, options.aspect.split(":"))
            box = box.shaped(across / down, options.focus, size)
        wanted = Wanted(options.width, options.height, options.fit, options.enlarge)
        return laid_out(box, size, wanted, options.focus)

    def _on_canvas(self, part: Image, layout: Layout, how: Encoding) -> Image:
        """Padded, and on the background where the format knows no transparency."""
        from PIL import Image

        ground = "#ffffff" if self.options.background == "transparent" else self.options.background
        is_clear = how.keeps_opacity and (part.mode == "RGBA" or self.options.background == "transparent")
        if layout.canvas == part.size and (part.mode == "RGB" or is_clear):
            return part
        if not is_clear:
            canvas = Image.new("RGB", layout.canvas, ground)
            canvas.paste(part, layout.at, part if part.mode == "RGBA" else None)
            return canvas
        is_open = self.options.background == "transparent"
        canvas = Image.new("RGBA", layout.canvas, (255, 255, 255, 0) if is_open else ground)
        canvas.paste(part.convert("RGBA"), layout.at)
        return canvas
