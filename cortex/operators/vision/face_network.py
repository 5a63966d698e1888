"""BlazeFace, which is published in TFLite, as a network in ONNX: ONNX Runtime needs less than half the time that OpenCV
takes for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cortex.operators.vision import onnx_writing as onnx
from cortex.operators.vision import tflite

INPUT = "input"
_ADD, _CONCATENATION, _CONVOLUTION, _DEPTHWISE, _DEQUANTIZE, _MAX_POOL = 0, 2, 3, 4, 6, 17
_RELU, _RESHAPE, _RESIZE, _PAD = 19, 22, 23, 34
_ROWS_FIRST, _CHANNELS_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
_VALID = 1


def converted(model: tflite.Model, side: int) -> bytes:
    """A model in ONNX: its input `INPUT` is 1 x 3 x `side` x `side`, its outputs keep their names, with a row of values
    for each box. Raises `ValueError` where the model does something that BlazeFace does not."""
    return _Conversion(model).written(side)


class _Conversion:
    """TFLite has rows before channels, ONNX channels before rows."""

    def __init__(self, model: tflite.Model) -> None:
        self._model = model
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._known = {number: one.values for number, one in enumerate(model.tensors) if one.values is not None}
        self._making: dict[int, Callable[[tflite.Step], None]] = {
            _ADD: lambda step: self._node(step, "Add"),
            _RELU: lambda step: self._node(step, "Relu"),
            _CONCATENATION: lambda step: self._node(step, "Concat", axis=1),
            _CONVOLUTION: lambda step: self._convolution(step, (0, 3, 1, 2)),
            _DEPTHWISE: lambda step: self._convolution(step, (3, 0, 1, 2)),
            _MAX_POOL: self._pool,
            _PAD: self._pad,
            _RESIZE: self._resize,
            _RESHAPE: self._reshape,
            _DEQUANTIZE: self._dequantize,
        }

    def written(self, side: int) -> bytes:
        for step in self._model.steps:
            if step.code not in self._making:
                raise ValueError(f"operation {step.code} is none of BlazeFace's")
            self._making[step.code](step)
        gives = [onnx.floats(self._name(number), self._shape(number)) for number in self._model.outputs]
        takes = onnx.floats(INPUT, (1, 3, side, side))
        return onnx.model(self._nodes, self._constants, takes, gives)

    def _name(self, number: int) -> str:
        return INPUT if number in self._model.inputs else self._model.tensors[number].name

    def _shape(self, number: int) -> tuple[int, ...]:
        return self._model.tensors[number].shape

    def _node(self, step: tflite.Step, operation: str, *more: str, **attributes: onnx.Value) -> None:
        takes = [self._name(number) for number in step.takes]
        self._nodes.append(onnx.node(operation, [*takes, *more], self._name(step.gives[0]), **attributes))

    def _constant(self, step: tflite.Step, ending: str, values: Any) -> str:
        name = f"{self._name(step.gives[0])}/{ending}"
        self._constants.append(onnx.constant(name, values))
        return name

    def _convolution(self, step: tflite.Step, order: tuple[int, ...]) -> None:
        kernel = self._known[step.takes[1]].transpose(order)
        groups = len(kernel) if step.code == _DEPTHWISE else 1
        weights = self._constant(step, "kernel", kernel), self._constant(step, "bias", self._known[step.takes[2]])
        self._node(step._replace(takes=step.takes[:1]), "Conv", *weights, group=groups, **_moves(step))

    def _pool(self, step: tflite.Step) -> None:
        assert step.options is not None
        window = (step.options.number(4), step.options.number(3))
        self._node(step, "MaxPool", kernel_shape=window, **_moves(step))

    def _pad(self, step: tflite.Step) -> None:
        """Of the channels and sides, how many zeros before and behind."""
        around = self._known[step.takes[1]][list(_CHANNELS_FIRST)].T.reshape(-1).astype(np.int64)
        self._node(step._replace(takes=step.takes[:1]), "Pad", self._constant(step, "around", around))

    def _resize(self, step: tflite.Step) -> None:
        """Always to twice the size."""
        before, after = self._shape(step.takes[0]), self._shape(step.gives[0])
        if step.options is None or not step.options.number(3, "b") or after[1:3] != (2 * before[1], 2 * before[2]):
            raise ValueError("a picture is resized in another way than BlazeFace does")
        twice = self._constant(step, "scales", np.array((1, 1, 2, 2), np.float32))
        self._node(step._replace(takes=step.takes[:1]), "Resize", "", twice, mode="linear")

    def _reshape(self, step: tflite.Step) -> None:
        """The boxes of all cells in one row."""
        turned = f"{self._name(step.gives[0])}/turned"
        self._nodes.append(onnx.node("Transpose", [self._name(step.takes[0])], turned, perm=_ROWS_FIRST))
        shape = self._constant(step, "shape", np.array(self._shape(step.gives[0]), np.int64))
        self._nodes.append(onnx.node("Reshape", [turned, shape], self._name(step.gives[0])))

    def _dequantize(self, step: tflite.Step) -> None:
        self._known[step.gives[0]] = self._known[step.takes[0]].astype(np.float32)


def _moves(step: tflite.Step) -> dict[str, onnx.Value]:
    """By how much a window moves, and what is beyond the edges."""
    assert step.options is not None
    edges = "VALID" if step.options.number(0, "b") == _VALID else "SAME_UPPER"
    return {"strides": (step.options.number(2), step.options.number(1)), "auto_pad": edges}
