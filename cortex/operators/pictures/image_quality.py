"""How good a still picture is, as far as it can be measured."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pydantic import Field

from cortex.derived import asset_or_file
from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.pictures.drawings import has_pixels
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media

_MOST_NOISE = 25.5
"""Steps of 255 at which `noise` is 1."""
_BLURRED, _SHARP = 0.3, 0.7
_DARK, _LIGHT = 0.15, 0.85
_ENOUGH = 0.6


class ImageQualityOptions(NodeOptions):
    size: int = Field(
        512, ge=64, le=4096, description="Measured with this longer side, in pixels; larger ones show finer blur"
    )


class ImageQuality(MediaNode[ImageQualityOptions]):
    """Measures sharpness, noise, exposure and contrast of a picture.

    It looks at the picture as it is shown, upright in sRGB, reduced to `size`: what is too fine to be seen there does
    not count, and the numbers of pictures of any number of pixels can be compared. With 512 it looks as at a preview
    and needs no decode beside that of a thumbnail; 2048 tells a missed focus from a hit one. All are from 0 to 1.

    - `sharpness`: of the sharpest tenth of those parts that show anything: 0.7 and more is sharp, 0.5 soft, 0.3 and
      less blurred; 0 where nothing is shown. One minus the blur effect (Crete and others, SPIE 6492, 2007), in parts of
      64 pixels a side, so that a sharp subject before a soft ground is sharp. Strong noise passes for sharpness;
    - `noise`: standard deviation in the flattest parts (Immerkaer, 1996), 1 stands for a tenth of white and more; 0.03
      is clean, 0.2 shows;
    - `brightness`: the mean, sRGB-coded;
    - `clipped_shadows`, `clipped_highlights`: shares of the pixels that are black or white in every channel;
    - `contrast`: the range of brightness without the darkest and the brightest fiftieth;
    - `quality`: all in one number, the weighted geometric mean (2 : 1 : 1 : 1) of how sharp (`sharpness` from 0.3 to
      0.7), how clean (1 - `noise`), how well exposed and how rich in contrast (up to 0.6) it is. Exposure is 1 with a
      mean of 0.15 to 0.85, less beyond, less the clipped shares. White ground counts as clipped: compare like with
      like.

    Of an animation the first picture is measured; transparent parts count as white. Drawings without pixels (SVG, WMF,
    EMF) are not processed. To sort by the numbers use `filter.quality`. Refuses FORMAT_UNSUPPORTED (no decoder),
    FILE_DAMAGED, FILE_TRUNCATED and FILE_TOO_LARGE (too many pixels). `{size: 2048}` is an example.
    """

    operator = "image.quality"
    kinds = frozenset({Kind.IMAGE})
    reads = ()
    verdicts = False
    inputs = asset_or_file("image")
    outputs = (Port(id="out", content_type="struct/image-quality"),)
    QUALITY = OutputKey("quality", float, "all in one number, 1 is best")
    SHARPNESS = OutputKey("sharpness", float, "of the sharpest parts; 0.7 is sharp, 0.3 blurred")
    NOISE = OutputKey("noise", float, "standard deviation, 1 is a tenth of white")
    BRIGHTNESS = OutputKey("brightness", float, "the mean; 0 is black")
    SHADOWS = OutputKey("clipped_shadows", float, "share of black pixels")
    HIGHLIGHTS = OutputKey("clipped_highlights", float, "share of white pixels")
    CONTRAST = OutputKey("contrast", float, "range of brightness without its ends")

    def open(self) -> None:
        import_module("cortex.operators.pictures.picture_measures")

    def wants(self) -> Wants:
        return Wants(image_side=self.options.size)

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        import numpy as np

        from cortex.operators.pictures import picture_measures as measures

        picture = media.image(self.options.size)
        grey = picture.convert("L")
        pixels = np.asarray(grey)
        noise_steps = measures.noise(pixels)
        sharpness, contrast = measures.sharpness(pixels, noise_steps), measures.contrast(grey)
        exposed = measures.exposure(picture, grey)
        noise = min(noise_steps / _MOST_NOISE, 1.0)
        clipped = exposed.shadows + exposed.highlights
        factors = (
            _ramp(sharpness, _BLURRED, _SHARP) ** 2,
            1 - noise,
            max(_evenness(exposed.brightness) - clipped, 0.0),
            _ramp(contrast, 0.0, _ENOUGH),
        )
        for key, value in (
            (self.QUALITY, float(np.prod(factors)) ** 0.2),
            (self.SHARPNESS, sharpness),
            (self.NOISE, noise),
            (self.BRIGHTNESS, exposed.brightness),
            (self.SHADOWS, exposed.shadows),
            (self.HIGHLIGHTS, exposed.highlights),
            (self.CONTRAST, contrast),
        ):
            ctx.output(key, round(value, 4))


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _evenness(brightness: float) -> float:
    """1 for a usual mean, falling to 0 at black and at white."""
    return min(brightness / _DARK, (1 - brightness) / (1 - _LIGHT), 1.0)
