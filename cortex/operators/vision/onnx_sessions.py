"""Models in ONNX, run by ONNX Runtime on one core, which says nothing on standard error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from loom.errors import LoomError

_QUIET = 4


def session_of(model: str | bytes) -> Any:
    """Of a file, or of what would stand in it. Raises what ONNX Runtime does."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def session_of_file(path: Path) -> Any:
    """Raises `REQUIREMENT_MISSING` for a file that cannot be loaded."""
    try:
        return session_of(str(path))
    except Exception as error:
        raise LoomError("REQUIREMENT_MISSING", f"the model {path} cannot be loaded: {error}") from error


def answers_of(session: Any, names: list[str], given: dict[str, Any]) -> list[Any]:
    """What it gives under these names. Raises `OPERATOR_FAILED` when the model fails."""
    try:
        return list(session.run(names, given))
    except Exception as error:
        raise LoomError("OPERATOR_FAILED", f"the model cannot be run: {error}") from error
