"""Groups of duplicates, and what was done to files."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from loom.actions import ActionEnd, ActionShape, ActionState
from loom.duplicates import Decision, DuplicateKind, DuplicateShape, DuplicateState
from loom.model import Action
from loom.service.base import Holding, now_us
from loom.shapes import Page
from loom.store import actions, deciding, duplicates, grouplist
from loom.verbs import PAGE


class LocalDuplicates(Holding):
    """See `loom.verbs.Duplicates`."""

    def duplicates(
        self,
        *,
        state: DuplicateState | None = None,
        kind: DuplicateKind | None = None,
        asset: UUID | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[DuplicateShape]:
        with self._database.read() as connection:
            return grouplist.page(connection, state, kind, asset, limit, cursor)

    def duplicate(self, uuid: UUID) -> DuplicateShape:
        with self._database.read() as connection:
            return grouplist.one(connection, uuid)

    def confirm_duplicate(self, uuid: UUID, decision: Decision = Decision()) -> DuplicateShape:  # noqa: B008
        with self._database.write() as connection:
            events = duplicates.events_of(connection, deciding.confirm(connection, uuid, decision, now_us()), now_us())
            shown = grouplist.one(connection, uuid)
        self._tell_of_groups(events)
        return shown

    def reject_duplicate(self, uuid: UUID, seen: Sequence[str] | None = None) -> DuplicateShape:
        with self._database.write() as connection:
            events = duplicates.events_of(connection, deciding.reject(connection, uuid, seen, now_us()), now_us())
            shown = grouplist.one(connection, uuid)
        self._tell_of_groups(events)
        return shown

    def reopen_duplicate(self, uuid: UUID) -> DuplicateShape:
        with self._database.write() as connection:
            events = duplicates.events_of(connection, deciding.reopen(connection, uuid), now_us())
            shown = grouplist.one(connection, uuid)
        self._tell_of_groups(events)
        return shown


class LocalActions(Holding):
    """See `loom.verbs.Actions`."""

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
        with self._database.read() as connection:
            return actions.page(connection, run, duplicate, host, state, limit, cursor)

    def action(self, uuid: UUID) -> ActionShape:
        with self._database.read() as connection:
            return actions.one(connection, uuid)

    def begin_action(self, host: str, action: Action, *, duplicate: UUID | None = None) -> None:
        with self._database.write() as connection:
            actions.begin(connection, host, action, duplicate)

    def end_action(self, uuid: UUID, ending: ActionEnd) -> None:
        with self._database.write() as connection:
            told = actions.end(connection, uuid, ending, now_us())
        self._tell_of_actions(*told)
