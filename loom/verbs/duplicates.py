"""What one can ask and say of groups of duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from loom.duplicates import Decision, DuplicateKind, DuplicateShape, DuplicateState
from loom.shapes import Page
from loom.verbs.listing import PAGE


class Duplicates(Protocol):
    """Groups are proposed by operators, and decided on by people. Deciding moves no file."""

    def duplicates(
        self,
        *,
        state: DuplicateState | None = None,
        kind: DuplicateKind | None = None,
        asset: UUID | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[DuplicateShape]:
        """In the order in which they were proposed. Raises `NOT_FOUND` for an asset that is not known."""
        ...

    def duplicate(self, uuid: UUID) -> DuplicateShape:
        """Raises `NOT_FOUND`."""
        ...

    def confirm_duplicate(self, uuid: UUID, decision: Decision = ...) -> DuplicateShape:
        """Members are duplicates, and one is kept; those that are not among the decision's are none, and (if they are
        several assets) become a group of their own. Raises `NOT_FOUND`, `REQUEST_INVALID` for members that are none
        and where no two are left to choose from, `VERSION_CONFLICT` when the group has other members than were seen,
        `DECIDED` when something else was decided before."""
        ...

    def reject_duplicate(self, uuid: UUID, seen: Sequence[str] | None = None) -> DuplicateShape:
        """No two of the members are duplicates; such pairs are not proposed again. Raises `NOT_FOUND`,
        `VERSION_CONFLICT`, `DECIDED`."""
        ...

    def reopen_duplicate(self, uuid: UUID) -> DuplicateShape:
        """Nothing is decided any more. Raises `NOT_FOUND`, and `DECIDED` when files of the group were moved."""
        ...
