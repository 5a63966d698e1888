"""The verbs of runs and assets, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import msgspec

from loom.assetgroups import AssetGroupShape
from loom.client.http import Http, page_limit, path_of
from loom.model import Kind, RunClosing, RunOpening, State
from loom.problems import FailureShape, ProblemShape
from loom.shapes import (
    AssetResultsShape,
    AssetShape,
    FacetsShape,
    FlowShape,
    GridShape,
    LocationShape,
    Page,
    ResultShape,
    RunShape,
)
from loom.steering import ANY_ASSET, EVERY_FAILURE, AssetQuery, Place, Selection
from loom.verbs import PAGE
from loom.wire.runs import closing_to_wire, opening_to_wire, place_of_wire, selection_to_wire
from loom.wire.shapes import PathLine, PathQuestion, Places


class RemoteRuns:
    """See `loom.verbs.Runs`."""

    _http: Http

    def open_run(self, opening: RunOpening) -> None:
        self._http.tell("/runs", opening_to_wire(opening))

    def finish_run(self, closing: RunClosing) -> None:
        self._http.tell(path_of("runs", closing.uuid, "finish"), closing_to_wire(closing))

    def run(self, uuid: UUID) -> RunShape:
        return self._http.get(path_of("runs", uuid), RunShape)

    def runs(self, *, pipeline: str | None = None, limit: int = PAGE, cursor: str | None = None) -> Page[RunShape]:
        return self._http.get("/runs", Page[RunShape], pipeline=pipeline, limit=page_limit(limit), cursor=cursor)

    def run_results(
        self,
        uuid: UUID,
        *,
        state: State | None = None,
        node: str | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[ResultShape]:
        path = path_of("runs", uuid, "results")
        return self._http.get(path, Page[ResultShape], state=state, node=node, limit=page_limit(limit), cursor=cursor)

    def run_problems(self, uuid: UUID, *, limit: int = PAGE, cursor: str | None = None) -> Page[ProblemShape]:
        path = path_of("runs", uuid, "problems")
        return self._http.get(path, Page[ProblemShape], limit=page_limit(limit), cursor=cursor)

    def run_flow(self, uuid: UUID) -> FlowShape:
        return self._http.get(path_of("runs", uuid, "flow"), FlowShape)

    def run_grid(self, uuid: UUID, *, offset: int = 0, limit: int = PAGE) -> GridShape:
        return self._http.get(path_of("runs", uuid, "grid"), GridShape, offset=offset, limit=page_limit(limit))

    def failures(self, selection: Selection = EVERY_FAILURE) -> list[FailureShape]:
        asked = msgspec.to_builtins(selection_to_wire(selection))
        return self._http.everything("/failures", Page[FailureShape], **asked)

    def failed_places(self, selection: Selection) -> list[Place]:
        answer = self._http.post("/failures/places", Places, selection_to_wire(selection))
        return [place_of_wire(place) for place in answer.items]

    def forget(self, selection: Selection) -> list[Place]:
        answer = self._http.post("/failures/forget", Places, selection_to_wire(selection))
        return [place_of_wire(place) for place in answer.items]


class RemoteAssets:
    """See `loom.verbs.Assets`."""

    _http: Http

    def assets(
        self, query: AssetQuery = ANY_ASSET, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[AssetShape]:
        asked = msgspec.structs.asdict(query)
        return self._http.get("/assets", Page[AssetShape], **asked, limit=page_limit(limit), cursor=cursor)

    def assets_with_results(
        self, query: AssetQuery, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[AssetResultsShape]:
        asked = msgspec.structs.asdict(query)
        return self._http.get(
            "/assets/results", Page[AssetResultsShape], **asked, limit=page_limit(limit), cursor=cursor
        )

    def facets(self, query: AssetQuery) -> FacetsShape:
        return self._http.get("/assets/facets", FacetsShape, **msgspec.structs.asdict(query))

    def asset(self, uuid: UUID) -> AssetShape:
        return self._http.get(path_of("assets", uuid), AssetShape)

    def asset_by_hash(self, algorithm: str, digest: bytes) -> AssetShape:
        return self._http.get(path_of("assets", "by-hash", algorithm, digest.hex()), AssetShape)

    def asset_by_path(self, host: str, path: bytes) -> AssetShape:
        return self._http.post("/assets/by-path", AssetShape, PathQuestion(host=host, path_b64=path))

    def asset_locations(self, uuid: UUID) -> list[LocationShape]:
        return self._http.everything(path_of("assets", uuid, "locations"), Page[LocationShape])

    def asset_results(self, uuid: UUID) -> list[ResultShape]:
        return self._http.everything(path_of("assets", uuid, "results"), Page[ResultShape])

    def asset_groups(self, uuid: UUID) -> list[AssetGroupShape]:
        return self._http.everything(path_of("assets", uuid, "groups"), Page[AssetGroupShape])

    def artifact(self, digest: bytes) -> tuple[str, bytes]:
        response = self._http.fetch(path_of("artifacts", digest.hex()))
        return response.headers["Content-Type"], response.content

    def places(self, host: str, *, kind: Kind | None = None, collection: str | None = None) -> Iterator[bytes]:
        lines = self._http.lines("/locations", host=host, kind=kind, collection=collection)
        return (msgspec.json.decode(line, type=PathLine).path_b64 for line in lines)
