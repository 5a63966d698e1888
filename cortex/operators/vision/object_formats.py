"""The forms in which detectors tell what they found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from cortex.operators.vision.boxes import Floats
from cortex.operators.vision.onnx_models import Answer, Array
from loom.errors import LoomError

Form = Literal["yolo", "yolo5", "yolox", "boxes", "detr"]
_STRIDES = (8, 16, 32, 64)
"""Pixels from one cell to the next in the grids of YOLOX; the last only in its models of the kind P6."""
_MOST_LOGARITHM = 10.0
"""No box is so many times as large as a cell; beyond, nothing finite would be left."""


class Found(NamedTuple):
    """One row a box: left, top, right, bottom in pixels of the model's input; its score; its class by number."""

    boxes: Floats
    scores: Floats
    classes: np.ndarray[tuple[int], np.dtype[np.int64]]

    def sure(self, least: float) -> Found:
        kept = (self.scores >= least) & np.isfinite(self.boxes).all(axis=1)
        return Found(self.boxes[kept], self.scores[kept], self.classes[kept])


class Names(NamedTuple):
    """What the outputs are called that hold boxes, scores and classes; None: told by their place."""

    boxes: str | None
    scores: str | None
    classes: str | None


def read(answers: Sequence[Answer], form: Form, names: Names, size: tuple[int, int], fractions: bool) -> Found:
    """What a detector found in a picture of `size`, width and height; `fractions`: its boxes are parts of that. Raises
    `OPERATOR_FAILED` where the answers are not of the form."""
    try:
        found = _apart(answers, form, names) if form in ("boxes", "detr") else _yolo(answers, form, names, size)
    except (ValueError, IndexError) as error:
        shapes = ", ".join(f"{answer.name} {list(answer.values.shape)}" for answer in answers)
        raise LoomError("OPERATOR_FAILED", f"the model's outputs ({shapes}) are not of the form {form!r}") from error
    return found._replace(boxes=found.boxes * np.tile(np.array(size, np.float32), 2)) if fractions else found


def _yolo(answers: Sequence[Answer], form: Form, names: Names, size: tuple[int, int]) -> Found:
    """One output of rows, or columns where there are fewer: middle, width, height, a score for each class; before the
    scores, in the forms `yolo5` and `yolox`, how sure it is that there is anything."""
    rows = _only(_named(answers, names.boxes, 0), 2)
    rows = rows.T if rows.shape[0] < rows.shape[1] else rows
    first = 4 if form == "yolo" else 5
    if rows.shape[1] <= first:
        raise ValueError
    scores = rows[:, first:] if form == "yolo" else rows[:, first:] * rows[:, 4:5]
    middles = _from_cells(rows[:, :4], size) if form == "yolox" else rows[:, :4]
    return Found(_corners(middles), scores.max(axis=1), scores.argmax(axis=1))


def _from_cells(rows: Floats, size: tuple[int, int]) -> Floats:
    """Middles, counted from the corner of a cell in cells, and logarithms of widths and heights in cells, in pixels of
    a picture of `size`: what YOLOX leaves to who runs it. The cells of the finest grid come first, row by row."""
    grids = [_cells(size, stride) for stride in _STRIDES]
    if len(rows) == sum(map(len, grids[:3])):
        grids = grids[:3]
    cells = np.concatenate(grids)
    sizes = np.exp(rows[:, 2:].clip(max=_MOST_LOGARITHM))
    return np.concatenate([rows[:, :2] + cells[:, :2], sizes], axis=1) * cells[:, 2:]


def _cells(size: tuple[int, int], stride: int) -> Floats:
    """Column, row and stride of each."""
    rows, columns = np.mgrid[: size[1] // stride, : size[0] // stride]
    return np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1).astype(np.float32)


def _apart(answers: Sequence[Answer], form: Form, names: Names) -> Found:
    """`boxes`: outputs with corners, scores and classes. `detr`: one with logits, of which the last is “nothing”, and
    one with middle, width and height."""
    if form == "detr":
        logits, middles = _only(_named(answers, names.scores, 0), 2), _only(_named(answers, names.boxes, 1), 2)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores = (powers / powers.sum(axis=1, keepdims=True))[:, :-1]
        return _same_length(Found(_corners(middles), scores.max(axis=1), scores.argmax(axis=1)))
    boxes = _only(_named(answers, names.boxes, 0), 2)
    scores, classes = _only(_named(answers, names.scores, 1), 1), _only(_named(answers, names.classes, 2), 1)
    return _same_length(Found(_four(boxes), scores, classes.astype(np.int64)))


def _named(answers: Sequence[Answer], name: str | None, place: int) -> Array:
    if name is None:
        return answers[place].values
    found = [answer.values for answer in answers if answer.name == name]
    if not found:
        raise ValueError
    return found[0]


def _only(values: Array, dimensions: int) -> Floats:
    """The values of the one picture."""
    if values.ndim == dimensions + 1 and values.shape[0] == 1:
        values = values[0]
    if values.ndim != dimensions:
        raise ValueError
    return values.astype(np.float32)


def _four(boxes: Floats) -> Floats:
    if boxes.shape[1] != 4:
        raise ValueError
    return boxes


def _corners(middles: Floats) -> Floats:
    half = _four(middles)[:, 2:] / 2
    return np.concatenate([middles[:, :2] - half, middles[:, :2] + half], axis=1)


def _same_length(found: Found) -> Found:
    if not len(found.boxes) == len(found.scores) == len(found.classes):
        raise ValueError
    return found
