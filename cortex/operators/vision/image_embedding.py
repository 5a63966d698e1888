"""What a picture looks like to a model, as a vector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from cortex.media.wants import Wants
from cortex.node import NodeContext, OutputKey
from cortex.operators.pictures.drawings import has_pixels
from cortex.operators.vision.embedding import PictureEmbedding, VectorOptions
from loom.graph.specs import Port

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media

_USUAL_SIDE = 448
"""Twice what most models take, so that a picture twice as wide as high is not enlarged when it is cropped."""


class EmbeddingOptions(VectorOptions):
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop", description="A picture of another shape is cut to its middle, gets black edges, or is distorted"
    )


class ImageEmbedding(PictureEmbedding[EmbeddingOptions]):
    """Describes a picture by a vector, with a model that you give: pictures that the model takes for alike have vectors
    in nearly the same direction.

    `model` is a file in ONNX, such as the image side of a CLIP, SigLIP or DINO export, with one input for a picture (of
    four dimensions: 1, 3, height, width or 1, height, width, 3; float32, float16 or uint8, which gets 0 to 255 as they
    are) and an output of one row of at most 8192 numbers. It runs on one core. `input` says how the model was trained
    to see pictures: for CLIP `mean: [0.4815, 0.4578, 0.4082]`, `deviation: [0.2686, 0.2613, 0.2758]`.

    Of a video the key frame at 15 % of its length is taken. Needs the extra `vision`; nothing is downloaded. Drawings
    without pixels (SVG, WMF, EMF) are not processed. Refuses FORMAT_UNSUPPORTED (no decoder, no picture), FILE_DAMAGED,
    FILE_TRUNCATED, FILE_TOO_LARGE (too many pixels), and OPERATOR_FAILED where the model gives no such row; nothing
    runs without the model or with another (REQUIREMENT_MISSING), or where `input` does not fit it (CONFIG_INVALID). An
    example:

        model: {path: /models/clip-image.onnx, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
        input: {mean: [0.4815, 0.4578, 0.4082], deviation: [0.2686, 0.2613, 0.2758]}
    """

    operator = "vision.embedding"
    outputs = (Port(id="out", content_type="vector/image", key="vector"),)
    DIMENSIONS = OutputKey("dimensions", int, "how many numbers the vector has")

    def wants(self) -> Wants:
        return Wants(image_side=2 * max(self.options.input.size or (_USUAL_SIDE // 2,)))

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        picture = media.image(2 * max(self.model.size))
        ctx.output(self.DIMENSIONS, self.give_vector(ctx, fitted(picture, self.model.size, self.options.fit)))


def fitted(picture: Image, size: tuple[int, int], how: str) -> Image:
    """The picture with width and height of `size`."""
    from PIL import Image, ImageOps

    if how == "crop":
        return ImageOps.fit(picture, size, Image.Resampling.BICUBIC)
    if how == "pad":
        return ImageOps.pad(picture, size, Image.Resampling.BICUBIC)
    return picture.resize(size, Image.Resampling.BICUBIC)
