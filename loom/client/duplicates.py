"""Groups of duplicates, and what was done to files, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from loom.actions import ActionEnd, ActionShape, ActionState
from loom.client.http import Http, page_limit, path_of
from loom.duplicates import Decision, DuplicateKind, DuplicateShape, DuplicateState
from loom.model import Action
from loom.shapes import Page
from loom.verbs import PAGE
from loom.wire.duplicates import BeginningWire, NoWords, SeenWire, decision_to_wire, end_to_wire
from loom.wire.reports import action_to_wire


class RemoteDuplicates:
    """See `loom.verbs.Duplicates`."""

    _http: Http

    def duplicates(
        self,
        *,
        state: DuplicateState | None = None,
        kind: DuplicateKind | None = None,
        asset: UUID | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[DuplicateShape]:
        return self._http.get(
            "/duplicates", Page[DuplicateShape],
            state=state, kind=kind, asset=asset, limit=page_limit(limit), cursor=cursor,
        )  # fmt: skip

    def duplicate(self, uuid: UUID) -> DuplicateShape:
        return self._http.get(path_of("duplicates", uuid), DuplicateShape)

    def confirm_duplicate(self, uuid: UUID, decision: Decision = Decision()) -> DuplicateShape:  # noqa: B008
        return self._http.post(path_of("duplicates", uuid, "confirm"), DuplicateShape, decision_to_wire(decision))

    def reject_duplicate(self, uuid: UUID, seen: Sequence[str] | None = None) -> DuplicateShape:
        said = SeenWire(seen=None if seen is None else list(seen))
        return self._http.post(path_of("duplicates", uuid, "reject"), DuplicateShape, said)

    def reopen_duplicate(self, uuid: UUID) -> DuplicateShape:
        return self._http.post(path_of("duplicates", uuid, "reopen"), DuplicateShape, NoWords())


class RemoteActions:
    """See `loom.verbs.Actions`."""

    _http: Http

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
        return self._http.get(
            "/actions", Page[ActionShape],
            run=run, duplicate=duplicate, host=host, state=state, limit=page_limit(limit), cursor=cursor,
        )  # fmt: skip

    def action(self, uuid: UUID) -> ActionShape:
        return self._http.get(path_of("actions", uuid), ActionShape)

    def begin_action(self, host: str, action: Action, *, duplicate: UUID | None = None) -> None:
        self._http.tell("/actions", BeginningWire(host=host, action=action_to_wire(action), duplicate=duplicate))

    def end_action(self, uuid: UUID, ending: ActionEnd) -> None:
        self._http.tell(path_of("actions", uuid, "end"), end_to_wire(ending))
