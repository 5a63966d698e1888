"""What things a picture shows, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from cortex.derived import asset_or_file
from cortex.media.wants import Wants
from cortex.node import MediaNode, NodeContext, NodeOptions, OutputKey
from cortex.operators.models import ModelFile, checked_file, requirement
from cortex.operators.pictures.drawings import has_pixels
from cortex.operators.vision.model_inputs import PLAIN, RUNTIME, PictureInput, needs
from cortex.requirements import demand
from loom.errors import LoomError
from loom.graph.specs import Port, Requirement
from loom.model import Kind

if TYPE_CHECKING:
    from cortex.media import Media
    from cortex.operators.vision.boxes import Fitted
    from cortex.operators.vision.object_formats import Found
    from cortex.operators.vision.onnx_models import PictureModel

_USUAL_SIDE = 640
_GREY = (114, 114, 114)
"""What YOLO models have seen around pictures."""


class ObjectsOptions(NodeOptions):
    model: ModelFile = Field(description="Path and SHA-256 of the detector, in ONNX, in one file")
    form: Literal["yolo", "yolo5", "yolox", "boxes", "detr"] = Field(
        "yolo", description="In which form it tells what it found"
    )
    labels: tuple[str, ...] | ModelFile = Field(
        (), description="Names of the classes, from number 0 on, or a text file with one in each line"
    )
    input: PictureInput = Field(PLAIN, description="In which form the model takes a picture")
    fit: Literal["pad", "stretch"] = Field("pad", description="A picture of another shape gets edges, or is distorted")
    coordinates: Literal["pixels", "fractions"] = Field(
        "pixels", description="Whether boxes count pixels of what the model got, or are parts of it; `detr` has parts"
    )
    boxes: str | None = Field(None, description="Name of the output with the boxes, or of the only one; else by place")
    scores: str | None = Field(None, description="Name of the output with scores or logits; else by its place")
    classes: str | None = Field(None, description="Name of the output with the numbers of classes; else by its place")
    min_score: float = Field(0.4, ge=0, le=1, description="How sure the model must be, 0 to 1")
    overlap: float = Field(0.5, ge=0, le=1, description="Of two boxes of one class that share more the lesser goes")
    only: frozenset[str] = Field(frozenset(), description="Labels that count; empty: all")
    most: int = Field(100, ge=1, le=300, description="Of more objects the surest are told")


class Objects(MediaNode[ObjectsOptions]):
    """Finds things in a picture, with a detector that you give.

    `model` is a file in ONNX with one input for a picture (of four dimensions: 1, 3, height, width or 1, height, width,
    3; float32, float16 or uint8). It runs on one core. `form` says what it answers:

    - `yolo`: one output of rows, or columns, with the middle, width and height of a box and a score for each class, as
      YOLOv8 to 11 are exported; `yolo5` has before the scores how sure it is that there is anything; `yolox` has it
      too, and counts boxes from the cells of its grids, as YOLOX is published (`input` with `channels: bgr` and
      `deviation: [0.00392157, 0.00392157, 0.00392157]`);
    - `boxes`: three outputs: left, top, right and bottom of each box, its score, the number of its class;
    - `detr`: two outputs: logits for each class and last for “nothing”, and middle, width and height, as fractions.

    Outputs are told apart by their place in that order, `boxes` before `scores` but with `detr` after them, unless
    named.

    `objects`, surest first, lists of each: `label` (the number of the class where `labels` has no name for it),
    `score`, `box` (left, top, width, height, as fractions of the picture as it is shown) and `pixels` (the same in
    pixels of the original). `labels` counts all by label, and `objects` has at most `most`.

    Of a video the key frame at 15 % of its length is taken. Needs the extra `vision`; nothing is downloaded. Drawings
    without pixels (SVG, WMF, EMF) are not processed. Refuses FORMAT_UNSUPPORTED (no decoder, no picture), FILE_DAMAGED,
    FILE_TRUNCATED, FILE_TOO_LARGE (too many pixels), and OPERATOR_FAILED where the model's answer is not of the form;
    nothing runs without the model or with another (REQUIREMENT_MISSING), or where `input` does not fit it
    (CONFIG_INVALID). An example:

        model: {path: /models/yolo11n.onnx, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
        form: yolo
        labels: [person, bicycle, car]
    """

    operator = "vision.objects"
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO})
    reads = ()
    verdicts = False
    requires = (RUNTIME,)
    inputs = asset_or_file("image")
    outputs = (Port(id="out", content_type="detection/object", cardinality="many", key="objects"),)
    COUNT = OutputKey("count", int, "how many were found")
    OBJECTS = OutputKey("objects", list, "label, score, box and pixels of each, surest first")
    LABELS = OutputKey("labels", dict, "how many of each label")

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._model: PictureModel | None = None
        self._labels: Sequence[str] = ()

    def requirements(self) -> Sequence[Requirement]:
        labels = self.options.labels
        return (*needs(self.options.model), *([requirement(labels, {})] if isinstance(labels, ModelFile) else []))

    def open(self) -> None:
        demand(self.requirements())
        from cortex.operators.vision.onnx_models import PictureModel

        self._labels = _labels(self.options.labels)
        self._model = PictureModel(checked_file(self.options.model, {}), self.options.input)

    def close(self) -> None:
        self._model = None

    def wants(self) -> Wants:
        return Wants(image_side=max(self.options.input.size or (_USUAL_SIDE,)))

    def is_processable(self, media: Media) -> bool:
        return super().is_processable(media) and has_pixels(media)

    def compute(self, ctx: NodeContext, media: Media) -> None:
        from cortex.operators.vision.boxes import fit, stretch
        from cortex.operators.vision.object_formats import Names, read

        assert self._model is not None, "the engine calls open() first"
        options, size = self.options, self._model.size
        picture = media.image(max(size))
        given = fit(picture, *size, _GREY) if options.fit == "pad" else stretch(picture, *size)
        names = Names(options.boxes, options.scores, options.classes)
        fractions = options.coordinates == "fractions" or options.form == "detr"
        found = read(self._model.run(given.picture), options.form, names, size, fractions)
        probe = media.probe()
        original = probe.width or picture.width, probe.height or picture.height
        objects = self._told(found.sure(options.min_score), given, picture.size, original)
        ctx.output(self.COUNT, len(objects))
        ctx.output(self.OBJECTS, objects[: options.most])
        ctx.output(self.LABELS, dict(Counter(one["label"] for one in objects).most_common()))

    def _told(
        self, found: Found, given: Fitted, size: tuple[int, int], original: tuple[int, int]
    ) -> list[dict[str, Any]]:
        """Of each class one box of each thing, surest first, those of a wanted label."""
        import numpy as np

        from cortex.operators.vision.boxes import best

        boxes = given.back(found.boxes).clip(0, np.tile(np.array(size, np.float32), 2))
        told: list[tuple[float, dict[str, Any]]] = []
        for number in np.unique(found.classes).tolist():
            label = self._labels[number] if 0 <= number < len(self._labels) else str(number)
            if self.options.only and label not in self.options.only:
                continue
            of_it = found.classes == number
            for kept in best(boxes[of_it], found.scores[of_it], self.options.overlap):
                score = float(found.scores[of_it][kept])
                told.append((score, _as_json(label, score, boxes[of_it][kept].tolist(), size, original)))
        return [one for _, one in sorted(told, key=lambda pair: -pair[0])]


def _as_json(
    label: str, score: float, box: list[float], size: tuple[int, int], original: tuple[int, int]
) -> dict[str, Any]:
    left, top, right, bottom = box
    parts = left / size[0], top / size[1], (right - left) / size[0], (bottom - top) / size[1]
    pixels = [round(part * side) for part, side in zip(parts, original * 2, strict=True)]
    return {"label": label, "score": round(score, 3), "box": [round(part, 4) for part in parts], "pixels": pixels}


def _labels(given: Sequence[str] | ModelFile) -> Sequence[str]:
    """Raises `REQUIREMENT_MISSING` for a file that is missing, another, or no text."""
    if not isinstance(given, ModelFile):
        return given
    path = checked_file(given, {})
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise LoomError("REQUIREMENT_MISSING", f"{path} is no text in UTF-8") from error
