"""What one can ask and tell of what was done to files."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from loom.actions import ActionEnd, ActionShape, ActionState
from loom.model import Action
from loom.shapes import Page
from loom.verbs.listing import PAGE


class Actions(Protocol):
    """Each action is a record, by which it can be undone. Those of a run come with its reports."""

    def actions(
        self,
        *,
        run: UUID | None = None,
        duplicate: UUID | None = None,
        host: str | None = None,
        state: ActionState | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[ActionShape]:
        """In the order in which they were written down; `duplicate` names a group."""
        ...

    def action(self, uuid: UUID) -> ActionShape:
        """Raises `NOT_FOUND`."""
        ...

    def begin_action(self, host: str, action: Action, *, duplicate: UUID | None = None) -> None:
        """Something is about to be done to files on a host."""
        ...

    def end_action(self, uuid: UUID, ending: ActionEnd) -> None:
        """It was done, undone, or nothing came of it. What Loom knows of the places follows: a file that was moved lies
        where it was `found`, and no longer where it lay. Raises `NOT_FOUND`, `DECIDED` when it has ended otherwise."""
        ...
