"""What nodes beside the sandbox may ask of all that Loom has, and which of them must be asked anew each time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

from cortex.engine.concurrency import Operators
from loom.assetgroups import GroupKind, GroupRole
from loom.errors import LoomError
from loom.graph.plan import Step
from loom.verbs import PAGE, CopyAt, Library, Match, Neighbour
from loom.verbs.people import Sorted

ANEW = "anew"
"""The capability of operators whose results hang on what else there is: a stored one is not used again."""


def asked_anew(recompute: Collection[str], operators: Operators) -> Callable[[Step], bool]:
    """Tells of which steps no stored result is used: besides those of `ANEW` operators, of these nodes (`*`: all)."""

    def is_anew(step: Step) -> bool:
        spec = operators.spec(step.operator)
        return "*" in recompute or step.node in recompute or (spec is not None and ANEW in spec.capabilities)

    return is_anew


class AskingOnly:
    """The library in a dry run: it is told nothing."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def copies(self, asset: bytes) -> list[CopyAt]:
        return self._library.copies(asset)

    def similar(self, kind: str, value: bytes, distance: int, limit: int = PAGE) -> list[Match]:
        return self._library.similar(kind, value, distance, limit)

    def sort_faces(self, asset: bytes, model: str, vectors: Sequence[Any], distance: float) -> list[Sorted | None]:
        """Raises `OPERATOR_FAILED`."""
        raise LoomError("OPERATOR_FAILED", "faces are sorted inside `ctx.effect`, which a dry run only lists")

    def beside(self, asset: bytes) -> list[Neighbour]:
        return self._library.beside(asset)

    def group(self, kind: GroupKind, anchor: bytes | None, members: Sequence[tuple[bytes, GroupRole]]) -> UUID | None:
        """Raises `OPERATOR_FAILED`."""
        raise LoomError("OPERATOR_FAILED", "groups are made inside `ctx.effect`, which a dry run only lists")

    def propose(self, kind: str, members: Sequence[tuple[bytes, int]]) -> UUID | None:
        """Raises `OPERATOR_FAILED`."""
        raise LoomError("OPERATOR_FAILED", "duplicates are proposed inside `ctx.effect`, which a dry run only lists")
