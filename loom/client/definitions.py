"""The verbs of stored pipelines and of workers, over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loom.client.http import Http, page_limit, path_of
from loom.graph.specs import OperatorSpec
from loom.model import Resources, Worker
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
        return self._http.post("/pipelines", PipelineShape, definition, _tag(if_match))

    def delete_pipeline(self, name: str, *, if_match: str | None = None) -> None:
        self._http.delete(path_of("pipelines", name), _tag(if_match))

    def pipeline_versions(self, name: str) -> list[PipelineShape]:
        return self._http.everything(path_of("pipelines", name, "versions"), Page[PipelineShape])

    def restore_pipeline(self, name: str, version: int, *, if_match: str | None = None) -> PipelineShape:
        path = path_of("pipelines", name, "versions", version, "restore")
        return self._http.post(path, PipelineShape, None, _tag(if_match))

    def announce(
        self, worker: Worker, host: str, operators: Sequence[OperatorSpec], resources: Resources | None = None
    ) -> None:
        said = Announcement(worker=worker, host=host, operators=list(operators), resources=resources)
        self._http.tell("/workers", said)

    def workers(self) -> list[WorkerShape]:
        return self._http.everything("/workers", Page[WorkerShape])


def _tag(if_match: str | None) -> dict[str, str]:
    """The header for the etag that is expected."""
    if if_match is None:
        return {}
    return {"If-Match": "*" if if_match == "*" else f'"{if_match}"'}
