"""BlazeFace: finds faces in a picture, each with six points, by a network that runs in OpenCV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cortex.operators.boxes import Floats, best, covered, fit, shares
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


class FaceFinder:
    """Loads the network from a TFLite file. Raises `REQUIREMENT_MISSING` for a file that is none of `FORMS`."""

    def __init__(self, path: Path, min_score: float) -> None:
        import cv2

        cv2.setNumThreads(1)
        self._min_score = min_score
        try:
            # OpenCV 5 has two engines and takes the choice into account only with a path; OpenCV 4 has one.
            engine = [cv2.dnn.ENGINE_CLASSIC] if hasattr(cv2.dnn, "ENGINE_CLASSIC") else []
            self._net: Any = cv2.dnn.readNetFromTFLite(str(path), *engine)
            layers = set(self._net.getLayerNames())
        except cv2.error as error:
            raise LoomError("REQUIREMENT_MISSING", f"the model {path} cannot be loaded: {error.err}") from error
        form = next((form for form in FORMS if {form.scores, form.boxes} <= layers), None)
        if form is None:
            raise LoomError("REQUIREMENT_MISSING", f"{path} is no BlazeFace model of full or short range")
        self._form = form
        self._centres = form.centres()

    def find(self, picture: Image, looks: int) -> list[Face]:
        """The faces, surest first. The first of the `looks` is at the whole picture; each further one at overlapping
        parts of half the size of those before, in which smaller faces are large enough."""
        found: list[Face] = []
        for left, top, side in _parts(picture.size, looks):
            part = picture.crop((left, top, min(left + side, picture.width), min(top + side, picture.height)))
            corner = np.array([left, top], np.float32)
            for face in self._look(part if part.size != picture.size else picture):
                box = face.box + np.tile(corner, 2)
                if not _is_cut(face.box, part.size, (left, top), picture.size):
                    found.append(Face(box, face.points + np.tile(corner, len(POINTS)), face.score))
        return _apart(found)

    def _look(self, picture: Image) -> Iterator[Face]:
        side = self._form.side
        fitted = fit(picture, side, side)
        pixels = np.asarray(fitted.picture, np.float32).transpose(2, 0, 1)[np.newaxis] / np.float32(127.5) - 1
        self._net.setInput(np.ascontiguousarray(pixels))
        logits, answers = self._net.forward([self._form.scores, self._form.boxes])
        scores = 1 / (1 + np.exp(-np.clip(logits.reshape(-1), -_LOGIT, _LOGIT)))
        sure = scores >= self._min_score
        values = answers.reshape(len(scores), -1)[sure] + np.tile(self._centres[sure] * side, (1, 8)) * _CENTRED
        middles, sizes = values[:, :2], values[:, 2:4]
        boxes = fitted.back(np.concatenate([middles - sizes / 2, middles + sizes / 2], axis=1))
        points = fitted.back(values[:, 4:])
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


def _parts(size: tuple[int, int], looks: int) -> Iterator[tuple[int, int, int]]:
    """Left, top and side of the squares to look at."""
    longest = max(size)
    yield 0, 0, longest
    for look in range(1, looks):
        side = -(-longest // 2**look)
        for top in _starts(size[1], side):
            for left in _starts(size[0], side):
                yield left, top, side


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = -(-int(length - side) // int(side * (1 - _OVERLAP))) + 1
    return [round(number * (length - side) / (count - 1)) for number in range(count)]


def _is_cut(box: Floats, part: tuple[int, int], corner: tuple[int, int], whole: tuple[int, int]) -> bool:
    """Whether the box reaches over an edge of the part that is none of the picture: another part has it whole."""
    return bool(
        (box[0] < 0 and corner[0] > 0)
        or (box[1] < 0 and corner[1] > 0)
        or (box[2] > part[0] and corner[0] + part[0] < whole[0])
        or (box[3] > part[1] and corner[1] + part[1] < whole[1])
    )


def _apart(found: list[Face]) -> list[Face]:
    """One of each face, surest first."""
    kept: list[Face] = []
    for face in sorted(found, key=lambda one: -one.score):
        if not kept or covered(face.box, np.stack([one.box for one in kept])).max() <= _INSIDE:
            kept.append(face)
    return kept
