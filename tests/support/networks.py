"""Small networks in ONNX that really compute something, made for the tests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WINDOW, STEP = 24, 4
"""Pixels a side of the boxes that the detectors give, and from one to the next."""


def described(path: Path) -> dict[str, str]:
    """A model as a config names it."""
    return {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def embedder(path: Path, *, size: int | None = 112, numbers: int = 64, rows_first: bool = False) -> dict[str, str]:
    """Mean colours of 8 x 8 parts, projected at random (always the same) to so many numbers; `size` None: of any
    size."""
    side: Any = size or "side"
    shape = [1, side, side, 3] if rows_first else [1, 3, side, side]
    nodes = [helper.make_node("Transpose", ["picture"], ["planes"], perm=[0, 3, 1, 2])] if rows_first else []
    planes = "planes" if rows_first else "picture"
    kernel = (size or 64) // 8
    weights = np.random.RandomState(5).normal(0, 1, (3 * 64, numbers)).astype(np.float32)
    nodes += [
        helper.make_node("AveragePool", [planes], ["means"], kernel_shape=[kernel] * 2, strides=[kernel] * 2),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["vector"]),
    ]
    return _written(path, nodes, shape, {"vector": [1, numbers]}, {"weights": weights})


def detector(path: Path, form: str, *, size: int = 64) -> dict[str, str]:
    """Finds what is red (class 0) or green (class 1): scores are how much so the mean of a window is. `form` as
    `vision.objects` has it."""
    places = np.arange(0, size - WINDOW + 1, STEP, np.float32) + WINDOW / 2
    middles = np.stack([axis.reshape(-1) for axis in np.meshgrid(places, places)], axis=1)
    count = len(middles)
    boxes = np.concatenate([middles, np.full((count, 2), WINDOW, np.float32)], axis=1)
    constants = {"colours": np.array([[1, -1, -1], [-1, 1, -1]], np.float32).reshape(2, 3, 1, 1)}
    nodes = [
        helper.make_node("Conv", ["picture", "colours"], ["much"]),
        helper.make_node("Relu", ["much"], ["seen"]),
        helper.make_node("AveragePool", ["seen"], ["means"], kernel_shape=[WINDOW] * 2, strides=[STEP] * 2),
        helper.make_node("Reshape", ["means", "flat"], ["classes"]),
    ]
    constants["flat"] = np.array([1, 2, count])
    more, outputs, known = _FORMS[form](boxes, size)
    return _written(path, nodes + more, [1, 3, size, size], outputs, constants | known)


def _yolo(boxes: Any, size: int) -> Any:
    nodes = [helper.make_node("Concat", ["boxes", "classes"], ["found"], axis=1)]
    return nodes, {"found": [1, 6, len(boxes)]}, {"boxes": boxes.T[np.newaxis]}


def _yolo5(boxes: Any, size: int) -> Any:
    """In rows; it is half sure everywhere that there is something."""
    nodes = [
        helper.make_node("Concat", ["boxes", "anything", "classes"], ["columns"], axis=1),
        helper.make_node("Transpose", ["columns"], ["found"], perm=[0, 2, 1]),
    ]
    known = {"boxes": boxes.T[np.newaxis], "anything": np.full((1, 1, len(boxes)), 0.5, np.float32)}
    return nodes, {"found": [1, len(boxes), 7]}, known


def _yolox(_: Any, size: int) -> Any:
    """Of the cells of three grids only those of the finest say something, each of the window around it."""
    finest, coarser = (size // 8) ** 2, (size // 16) ** 2 + (size // 32) ** 2
    window = {"kernel_shape": [WINDOW] * 2, "strides": [8] * 2, "pads": [8] * 4, "count_include_pad": 1}
    nodes = [
        helper.make_node("AveragePool", ["seen"], ["around"], **window),
        helper.make_node("Reshape", ["around", "cells"], ["told"]),
        helper.make_node("Concat", ["told", "nothing"], ["classes of all"], axis=2),
        helper.make_node("Concat", ["boxes", "classes of all"], ["columns"], axis=1),
        helper.make_node("Transpose", ["columns"], ["found"], perm=[0, 2, 1]),
    ]
    box = [0.5, 0.5, np.log(WINDOW / 8), np.log(WINDOW / 8), 1]
    known = {
        "cells": np.array([1, 2, finest]),
        "nothing": np.zeros((1, 2, coarser), np.float32),
        "boxes": np.tile(np.array(box, np.float32).reshape(1, 5, 1), finest + coarser),
    }
    return nodes, {"found": [1, finest + coarser, 7]}, known


def _apart(boxes: Any, size: int) -> Any:
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)
    nodes = [
        helper.make_node("Identity", ["corners"], ["boxes"]),
        helper.make_node("ReduceMax", ["classes", "axis"], ["scores"], keepdims=0),
        helper.make_node("ArgMax", ["classes"], ["labels"], axis=1, keepdims=0),
    ]
    outputs = {"labels": [1, len(boxes)], "boxes": [len(boxes), 4], "scores": [1, len(boxes)]}
    return nodes, outputs, {"corners": corners, "axis": np.array([1])}


def _detr(boxes: Any, size: int) -> Any:
    """Logits are 20 times the score; “nothing” has 6."""
    nodes = [
        helper.make_node("Mul", ["classes", "times"], ["sure"]),
        helper.make_node("Concat", ["sure", "nothing"], ["columns"], axis=1),
        helper.make_node("Transpose", ["columns"], ["logits"], perm=[0, 2, 1]),
        helper.make_node("Identity", ["parts"], ["pred_boxes"]),
    ]
    known = {
        "times": np.array(20, np.float32),
        "nothing": np.full((1, 1, len(boxes)), 6, np.float32),
        "parts": boxes[np.newaxis] / np.float32(size),
    }
    return nodes, {"logits": [1, len(boxes), 3], "pred_boxes": [1, len(boxes), 4]}, known


_FORMS = {"yolo": _yolo, "yolo5": _yolo5, "yolox": _yolox, "boxes": _apart, "detr": _detr}


def _written(
    path: Path, nodes: Sequence[Any], shape: list[Any], outputs: dict[str, list[int]], constants: dict[str, Any]
) -> dict[str, str]:
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.INT64 if name == "labels" else TensorProto.FLOAT, sizes)
            for name, sizes in outputs.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return described(path)
