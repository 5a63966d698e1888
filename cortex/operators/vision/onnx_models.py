"""Models in ONNX that take one picture, run by ONNX Runtime on one core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cortex.operators.vision.model_inputs import PictureInput
from cortex.operators.vision.onnx_sessions import answers_of, session_of_file
from loom.errors import LoomError

if TYPE_CHECKING:
    from PIL.Image import Image

_TYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}
_MOST_SIDE = 4096
Array = np.ndarray[Any, np.dtype[Any]]


class Answer(NamedTuple):
    """What a model gives under one name."""

    name: str
    values: Array


class PictureModel:
    """A model with one input for pictures, of four dimensions: one picture, its three channels before or after rows and
    columns. Raises `REQUIREMENT_MISSING` for a file that cannot be run, `CONFIG_INVALID` where `form` does not fit."""

    def __init__(self, path: Path, form: PictureInput) -> None:
        self._session = session_of_file(path)
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type not in _TYPES:
            raise LoomError("REQUIREMENT_MISSING", f"the model {path} does not take one picture and nothing else")
        self._name = inputs[0].name
        self._type = _TYPES[inputs[0].type]
        self._names = [output.name for output in self._session.get_outputs()]
        self._rows_first = inputs[0].shape[3] == 3
        if not self._rows_first and inputs[0].shape[1] not in (3, None) and not isinstance(inputs[0].shape[1], str):
            raise LoomError("REQUIREMENT_MISSING", f"the model {path} does not take pictures of three channels")
        self.size = _size(inputs[0].shape[1:3] if self._rows_first else inputs[0].shape[2:4], form, path)
        self._order = (2, 1, 0) if form.channels == "bgr" else (0, 1, 2)
        self._mean = np.array(form.mean, np.float32) * 255
        self._deviation = np.array(form.deviation, np.float32) * 255

    def run(self, picture: Image) -> list[Answer]:
        """What it gives for a picture of its `size`. Raises `OPERATOR_FAILED` when the model fails."""
        pixels = np.asarray(picture, np.float32)
        if self._type is not np.uint8:
            pixels = (pixels - self._mean) / self._deviation
        pixels = pixels[:, :, self._order]
        if not self._rows_first:
            pixels = pixels.transpose(2, 0, 1)
        given = np.ascontiguousarray(pixels[np.newaxis], self._type)
        answers = answers_of(self._session, self._names, {self._name: given})
        return [Answer(name, np.asarray(values)) for name, values in zip(self._names, answers, strict=True)]


def _size(shape: list[Any], form: PictureInput, path: Path) -> tuple[int, int]:
    """Width and height: what the model fixes, else what the options say."""
    fixed = [side if isinstance(side, int) else None for side in shape]
    told = [None, None] if form.size is None else [form.size[1], form.size[0]]
    height, width = (side or given for side, given in zip(fixed, told, strict=True))
    if height is None or width is None:
        raise LoomError("CONFIG_INVALID", f"the model {path} takes pictures of any size: say which in `input.size`")
    if form.size not in (None, (width, height)):
        raise LoomError("CONFIG_INVALID", f"the model {path} takes pictures of {width} x {height} pixels only")
    if not 1 <= min(width, height) <= max(width, height) <= _MOST_SIDE:
        raise LoomError("CONFIG_INVALID", f"pictures of {width} x {height} pixels are not made for a model")
    return width, height
