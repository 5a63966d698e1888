"""Problems that a server answered with, as the errors that they were there."""

from __future__ import annotations

import msgspec

from loom.errors import CODES, LoomError
from loom.graph.diagnostics import DefinitionError
from loom.shapes import DiagnosticShape

_AWAY = frozenset({502, 503, 504})


class Problem(msgspec.Struct, frozen=True):
    """The fields of a problem that matter here."""

    code: str
    detail: str
    diagnostics: list[DiagnosticShape] | None = None


def error_of(status: int, body: bytes) -> LoomError:
    """The error behind an answer; an answer that is not Loom's comes from something in between."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeError):
        return LoomError(
            "LOOM_UNREACHABLE" if status in _AWAY else "INTERNAL", f"The server answered with status {status}."
        )
    if problem.code == "DEFINITION_INVALID" and problem.diagnostics is not None:
        return DefinitionError(problem.diagnostics, problem.detail)
    if problem.code not in CODES:
        return LoomError("INTERNAL", f"{problem.code}: {problem.detail}")
    return LoomError(problem.code, problem.detail)
