"""Who a face may be, as a vector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from cortex.media.wants import Wants
from cortex.node import NodeContext
from cortex.operators.vision.embedding import PictureEmbedding, VectorOptions
from loom.errors import LoomError
from loom.graph.specs import Port
from loom.model import Kind

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.media import Media


class FaceEmbeddingOptions(VectorOptions):
    min_quality: float = Field(0.0, ge=0, le=1, description="Faces of a lower quality get no vector")
    size: int = Field(1024, ge=128, le=8192, description="The picture's longer side from which faces are taken")


class FaceEmbedding(PictureEmbedding[FaceEmbeddingOptions]):
    """Describes each face by a vector, with a model that you give: those of one person have nearly the same direction.

    It stands behind `vision.faces`. Each face is turned and scaled by its eyes, nose and mouth to where models of the
    ArcFace family expect them, in 112 x 112 pixels or what the model takes. `model` is a file in ONNX with one input
    for a picture (of four dimensions: 1, 3, height, width or 1, height, width, 3; float32, float16 or uint8) and an
    output of one row of at most 8192 numbers. It runs on one core. For ArcFace: `input` with `mean: [0.5, 0.5, 0.5]`,
    `deviation: [0.5, 0.5, 0.5]`.

    `vector` is a list with one for each face, in the order of the faces; null for those below `min_quality`; together
    they may have 64 KiB: of 512 numbers as `float16` 45 vectors, so that `most` of `vision.faces` should not be above.
    Needs the extra `vision`; nothing is downloaded. Refuses FORMAT_UNSUPPORTED, FILE_DAMAGED, FILE_TRUNCATED,
    FILE_TOO_LARGE, and OPERATOR_FAILED where the item is no face of that picture or the model gives no such row;
    nothing runs without the model or with another (REQUIREMENT_MISSING), or where `input` does not fit it
    (CONFIG_INVALID). An example:

        model: {path: /models/arcface.onnx, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
        input: {mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5]}
    """

    operator = "vision.face-embedding"
    inputs = (Port(id="in", content_type="detection/face"),)
    outputs = (Port(id="out", content_type="vector/face", key="vector"),)

    def wants(self) -> Wants:
        return Wants(image_side=self.options.size)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.vision.face_alignment import aligned

        face = ctx.item
        if not isinstance(face, Mapping):
            raise LoomError("OPERATOR_FAILED", "the item is no face")
        if face.get("quality", 1.0) < self.options.min_quality:
            return
        picture = self._picture(media, face)
        try:
            crop = aligned(picture, face.get("landmarks") or {}, self.model.size)
        except ValueError as error:
            raise LoomError("OPERATOR_FAILED", str(error)) from error
        self.give_vector(ctx, crop)

    def _picture(self, media: Media, face: Mapping[str, Any]) -> Image:
        """The picture that the face is in."""
        if media.kind is not Kind.VIDEO:
            return media.image(self.options.size)
        frame, count = face.get("frame"), face.get("frames")
        if isinstance(frame, int) and isinstance(count, int) and 0 <= frame < count:
            frames = media.frames(count, self.options.size)
            if frame < len(frames):
                return frames[frame]
        raise LoomError("OPERATOR_FAILED", "the face does not say in which frame of the video it is")
