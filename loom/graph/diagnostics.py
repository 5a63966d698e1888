"""What the compiler has to say, and the error that carries it."""

from __future__ import annotations

from collections.abc import Sequence

from loom.errors import LoomError
from loom.shapes import DiagnosticShape as Diagnostic

__all__ = ["DefinitionError", "Diagnostic", "errors"]


class DefinitionError(LoomError):
    """A definition that cannot be run, with everything that is wrong with it."""

    def __init__(self, diagnostics: Sequence[Diagnostic], message: str | None = None) -> None:
        self.diagnostics = tuple(diagnostics)
        first = next((d.message for d in self.diagnostics if d.level == "error"), None)
        more = len(errors(self.diagnostics)) - 1
        super().__init__("DEFINITION_INVALID", message or (f"{first} ({more} more)" if first and more > 0 else first))

    def __reduce__(self) -> tuple[type[DefinitionError], tuple[tuple[Diagnostic, ...], str]]:  # type: ignore[override]
        return type(self), (self.diagnostics, self.message)


def errors(diagnostics: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Those that prevent the definition from being run."""
    return [d for d in diagnostics if d.level == "error"]
