"""What process pipelines tell of themselves, over HTTP."""

from __future__ import annotations

from uuid import UUID

from loom.client.http import Http, path_of
from loom.processes import ProcessPipeline, ProcessPipelineShape
from loom.shapes import Page
from loom.wire.processes import process_pipeline_to_wire


class RemoteProcesses:
    """See `loom.verbs.Processes`."""

    _http: Http

    def report_process_pipeline(self, pipeline: ProcessPipeline) -> None:
        said = process_pipeline_to_wire(pipeline)
        self._http.upload("PUT", path_of("process-pipelines", pipeline.run), said, "application/json")

    def forget_process_pipeline(self, run: UUID) -> None:
        self._http.delete(path_of("process-pipelines", run), {})

    def process_pipelines(self) -> list[ProcessPipelineShape]:
        return self._http.everything("/process-pipelines", Page[ProcessPipelineShape])

    def process_pipeline(self, run: UUID) -> ProcessPipelineShape:
        return self._http.get(path_of("process-pipelines", run), ProcessPipelineShape)
