"""The verbs of stored pipelines and of workers, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loom.client.http import Http, page_limit, path_of
from loom.graph.specs import OperatorSpec
from loom.model import Worker
from loom.shapes import Page, PipelineShape, WorkerShape
from loom.verbs import PAGE
from loom.wire.shapes import Announcement


class RemoteDefinitions:
    """See `loom.verbs.Definitions` and `loom.verbs.Workers`."""

    _http: Http

    def pipelines(self, *, limit: int = PAGE, cursor: str | None = None) -> Page[PipelineShape]:
        return self._http.get("/pipelines", Page[PipelineShape], limit=page_limit(limit), cursor=cursor)

    def pipeline(self, name: str, version: int | None = None) -> PipelineShape:
        return self._http.get(path_of("pipelines", name), PipelineShape, version=version)

    def save_pipeline(self, definition: dict[str, Any], *, if_match: str | None = None) -> PipelineShape:
        tag = {} if if_match is None else {"If-Match": if_match if if_match == "*" else f'"{if_match}"'}
        return self._http.post("/pipelines", PipelineShape, definition, tag)

    def delete_pipeline(self, name: str) -> None:
        self._http.delete(path_of("pipelines", name))

    def pipeline_versions(self, name: str) -> list[PipelineShape]:
        return self._http.everything(path_of("pipelines", name, "versions"), Page[PipelineShape])

    def restore_pipeline(self, name: str, version: int) -> PipelineShape:
        return self._http.post(path_of("pipelines", name, "versions", version, "restore"), PipelineShape, None)

    def announce(self, worker: Worker, host: str, operators: Sequence[OperatorSpec]) -> None:
        self._http.tell("/workers", Announcement(worker=worker, host=host, operators=list(operators)))

    def workers(self) -> list[WorkerShape]:
        return self._http.everything("/workers", Page[WorkerShape])
