"""What an embedding is stored as."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from cortex.operators.vision.onnx_models import Answer
from loom.errors import LoomError

MOST = 8192
Form = Literal["float16", "list"]


def vector_of(answers: Sequence[Answer], wanted: str | None, unit: bool) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The one row of numbers that a model gave under the name `wanted`, or in its first output; of length 1 if `unit`.
    Raises `CONFIG_INVALID` for a name that there is not, `OPERATOR_FAILED` where it is no such row."""
    named = answers if wanted is None else [answer for answer in answers if answer.name == wanted]
    if not named:
        names = ", ".join(answer.name for answer in answers)
        raise LoomError("CONFIG_INVALID", f"the model has no output {wanted!r} but {names}")
    values = named[0].values
    if values.ndim < 1 or values.size != max(values.shape, default=0) or not 1 <= values.size <= MOST:
        raise LoomError(
            "OPERATOR_FAILED", f"the model's output {named[0].name!r} is no vector of at most {MOST} numbers"
        )
    vector = values.reshape(-1).astype(np.float32)
    if not np.isfinite(vector).all():
        raise LoomError("OPERATOR_FAILED", "the model gave numbers that are not finite")
    length = float(np.linalg.norm(vector))
    return vector / length if unit and length else vector


def stored(vector: np.ndarray[Any, np.dtype[np.float32]], form: Form) -> Any:
    """JSON: a list of numbers, or base64 of half-precision ones, little-endian, which keep three digits. Raises
    `OPERATOR_FAILED` where those have no room for a number."""
    if form == "list":
        return [round(value, 6) for value in vector.tolist()]
    if np.abs(vector).max() > np.finfo(np.float16).max:
        raise LoomError("OPERATOR_FAILED", "the model gave numbers beyond float16; store them as `list`")
    return base64.b64encode(vector.astype("<f2").tobytes()).decode()
