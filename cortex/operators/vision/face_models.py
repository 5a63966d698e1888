"""BlazeFace: finds faces in a picture, each with six points, by a network that ONNX Runtime runs on one core."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cortex.operators.vision import face_network, tflite
from cortex.operators.vision.boxes import Fitted, Floats, best, covered, shares, stretch
from cortex.operators.vision.onnx_sessions import session_of
from loom.errors import LoomError

if TYPE_CHECKING:
    from PIL.Image import Image

POINTS = ("right_eye", "left_eye", "nose", "mouth", "right_ear", "left_ear")
"""Left and right as the person has them."""

_SAME = 0.3
"""Boxes of one look that share more are of one face; their mean counts, as MediaPipe takes it."""
_INSIDE = 0.6
"""Of faces from different looks the lesser goes where so much of the smaller one lies in the other."""
_OVERLAP = 0.25
"""Of neighbouring parts: no face of up to a quarter of a part is cut by all of them."""
_LOGIT = 80.0


class Form(NamedTuple):
    """One of the published networks: its input is `side` pixels square; of each cell of the grids, (cells a side, boxes
    a cell), it gives boxes. `scores` and `boxes` are the names of its last layers."""

    side: int
    grids: tuple[tuple[int, int], ...]
    scores: str
    boxes: str

    def centres(self) -> Floats:
        """The middles of the cells, 0 to 1, in the order of the network's answers."""
        rows = [
            np.repeat(np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2), boxes, axis=0)
            for cells, boxes in self.grids
            for middles in [(np.arange(cells, dtype=np.float32) + 0.5) / cells]
        ]
        return np.concatenate(rows)


FORMS = (
    Form(192, ((48, 1),), "reshaped_classifier_face_4", "reshaped_regressor_face_4"),
    Form(128, ((16, 2), (8, 6)), "classificators", "regressors"),
)
"""Full range (faces of a tenth of the picture and more) and short range (a fifth and more)."""


class Face(NamedTuple):
    """`box` is left, top, right and bottom, `points` has x and y of each of `POINTS`; both in pixels of the picture."""

    box: Floats
    points: Floats
    score: float

    def scaled(self, before: tuple[int, int], after: tuple[int, int]) -> Face:
        """In a picture of another width and height."""
        factors = np.array(after, np.float32) / np.array(before, np.float32)
        return Face(self.box * np.tile(factors, 2), self.points * np.tile(factors, len(POINTS)), self.score)


class FaceFinder:
    """Loads the network from a TFLite file. Raises `REQUIREMENT_MISSING` for a file that is none of `FORMS`."""

    def __init__(self, path: Path, min_score: float) -> None:
        self._min_score = min_score
        try:
            model = tflite.read(path.read_bytes())
            names = {model.tensors[number].name for number in model.outputs}
            form = next((form for form in FORMS if {form.scores, form.boxes} == names), None)
            if form is None:
                raise ValueError("it has other outputs")
            self._network = session_of(face_network.converted(model, form.side))
        except Exception as error:
            raise LoomError("REQUIREMENT_MISSING", f"{path} is no BlazeFace model that can be run: {error}") from error
        self._form = form
        self._centres = form.centres()

    def find(self, picture: Image, looks: int) -> list[Face]:
        """The faces, surest first. The first of the `looks` is at the whole picture; each further one at overlapping
        parts of half the size of those before, in which smaller faces are large enough."""
        found: list[Face] = []
        for look in range(looks):
            for part in _parts(picture, self._form.side, 2**look):
                found += [face for face in self._look(part) if not part.cuts(face.box)]
        return _apart(found)

    def _look(self, part: _Part) -> Iterator[Face]:
        pixels = np.asarray(part.fitted.picture, np.float32).transpose(2, 0, 1)[np.newaxis] / np.float32(127.5) - 1
        names = [self._form.scores, self._form.boxes]
        logits, answers = self._network.run(names, {face_network.INPUT: np.ascontiguousarray(pixels)})
        scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -_LOGIT, _LOGIT)))
        sure = scores >= self._min_score
        values = answers.reshape(len(scores), -1)[sure]
        values = values + np.tile(self._centres[sure] * self._form.side, (1, 8)) * _CENTRED
        middles, sizes = values[:, :2], values[:, 2:4]
        boxes = part.back(np.concatenate([middles - sizes / 2, middles + sizes / 2], axis=1))
        points = part.back(values[:, 4:])
        for kept in best(boxes, scores[sure], _SAME):
            same = shares(boxes[kept], boxes) > _SAME
            weights = scores[sure][same]
            yield Face(
                np.average(boxes[same], axis=0, weights=weights).astype(np.float32),
                np.average(points[same], axis=0, weights=weights).astype(np.float32),
                float(scores[sure][kept]),
            )


_CENTRED = np.array([1, 1, 0, 0, *[1] * 12], np.float32)
"""Of the sixteen answers all but width and height are counted from the middle of the cell."""


class _Part(NamedTuple):
    """A square to look at, and how far it reaches in the picture: without end where the picture ends."""

    fitted: Fitted
    reach: Floats

    def back(self, points: Floats) -> Floats:
        """In pixels of the picture."""
        return self.fitted.back(points)

    def cuts(self, box: Floats) -> bool:
        """Whether the box reaches over an edge that is none of the picture: another part has it whole."""
        return bool((box[:2] < self.reach[:2]).any() or (box[2:] > self.reach[2:]).any())


def _parts(picture: Image, side: int, times: int) -> Iterator[_Part]:
    """Overlapping squares of `side` pixels from the picture at `times` that size; one with black bars where it is
    narrower."""
    scale = side * times / max(picture.size)
    fitted = stretch(picture, *(max(round(length * scale), 1) for length in picture.size))
    (width, height), (across, down) = fitted.picture.size, fitted.scale
    bars = max(side - width, 0) // 2, max(side - height, 0) // 2
    for top in _starts(height, side):
        for left in _starts(width, side):
            x, y = left - bars[0], top - bars[1]
            reach = np.array([x / across, y / down, (x + side) / across, (y + side) / down], np.float32)
            is_end = np.array([left == 0, top == 0, left + side >= width, top + side >= height])
            reach[is_end] = np.array([-np.inf, -np.inf, np.inf, np.inf], np.float32)[is_end]
            yield _Part(Fitted(fitted.picture.crop((x, y, x + side, y + side)), fitted.scale, -x, -y), reach)


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = -(-int(length - side) // int(side * (1 - _OVERLAP))) + 1
    return [round(number * (length - side) / (count - 1)) for number in range(count)]


def _apart(found: list[Face]) -> list[Face]:
    """One of each face, surest first."""
    kept: list[Face] = []
    for face in sorted(found, key=lambda one: -one.score):
        if not kept or covered(face.box, np.stack([one.box for one in kept])).max() <= _INSIDE:
            kept.append(face)
    return kept
