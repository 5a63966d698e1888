"""RapidOCR, in this process: it finds lines and reads them with the PP-OCR models that its package carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cortex.operators.models import Carried, checked_file
from cortex.operators.vision.ocr_reading import Word
from loom.graph.specs import Requirement

if TYPE_CHECKING:
    from PIL.Image import Image

PACKAGES = (
    Requirement(kind="package", name="rapidocr", extra="rapidocr"),
    Requirement(kind="package", name="onnxruntime", extra="rapidocr"),
)
_INSTALL = "pip install 'loom-cortex[rapidocr]'"
MODELS = {
    "Det": Carried(
        "rapidocr",
        "models/PP-OCRv6_det_small.onnx",
        "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        _INSTALL,
    ),
    "Rec": Carried(
        "rapidocr",
        "models/PP-OCRv6_rec_small.onnx",
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        _INSTALL,
    ),
    "Cls": Carried(
        "rapidocr",
        "models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
        "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
        _INSTALL,
    ),
}
"""Finds lines, reads them, tells which stand on their head; all Apache-2.0."""


class Rapid:
    """Reads Chinese and Latin script, whole lines. Raises `REQUIREMENT_MISSING` where a model is missing or another."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR

        paths = {f"{part}.model_path": str(checked_file(part, MODELS)) for part in MODELS}
        threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
        self._reader: Any = RapidOCR(params={"Global.log_level": "critical", **paths, **threads})

    def close(self) -> None:
        self._reader = None

    def read(self, picture: Image) -> list[Word]:
        import numpy as np

        found = self._reader(np.asarray(picture.convert("RGB")))
        if found.boxes is None or not found.txts:
            return []
        words = []
        for line, (corners, text, score) in enumerate(zip(found.boxes, found.txts, found.scores, strict=True)):
            (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
            words.append(Word(text, float(score), (left, top, right - left, bottom - top), 1, line))
        return words
