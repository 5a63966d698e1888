"""What operators ask of all that Loom has, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from loom.assetgroups import GroupKind, GroupRole
from loom.client.http import Http
from loom.verbs import PAGE, CopyAt, Match, Neighbour
from loom.wire.beside import Grouped, Neighbours, neighbour_of_wire
from loom.wire.library import Copies, Matches, Proposed, copy_of_wire, match_of_wire


class RemoteLibrary:
    """See `loom.verbs.Library`."""

    _http: Http

    def copies(self, asset: bytes) -> list[CopyAt]:
        answer = self._http.post("/library/copies", Copies, {"asset": asset.hex()})
        return [copy_of_wire(copy) for copy in answer.items]

    def similar(self, kind: str, value: bytes, distance: int, limit: int = PAGE) -> list[Match]:
        question = {"kind": kind, "value": value.hex(), "distance": distance, "limit": limit}
        answer = self._http.post("/library/similar", Matches, question)
        return [match_of_wire(match) for match in answer.items]

    def beside(self, asset: bytes) -> list[Neighbour]:
        answer = self._http.post("/library/beside", Neighbours, {"asset": asset.hex()})
        return [neighbour_of_wire(one) for one in answer.items]

    def group(self, kind: GroupKind, anchor: bytes | None, members: Sequence[tuple[bytes, GroupRole]]) -> UUID | None:
        said = {
            "kind": kind,
            "anchor": None if anchor is None else anchor.hex(),
            "members": [{"asset": asset.hex(), "role": role} for asset, role in members],
        }
        return self._http.post("/library/groups", Grouped, said).group

    def propose(self, kind: str, members: Sequence[tuple[bytes, int]]) -> UUID | None:
        said = [{"asset": asset.hex(), "distance": distance} for asset, distance in members]
        return self._http.post("/library/proposals", Proposed, {"kind": kind, "members": said}).group
