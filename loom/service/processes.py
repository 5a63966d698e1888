"""What process pipelines tell of themselves."""

from __future__ import annotations

from uuid import UUID

from loom.processes import ProcessPipeline, ProcessPipelineShape
from loom.service.base import Holding, now_us


class LocalProcesses(Holding):
    """See `loom.verbs.Processes`."""

    def report_process_pipeline(self, pipeline: ProcessPipeline) -> None:
        self._processes.hear(pipeline, now_us())

    def forget_process_pipeline(self, run: UUID) -> None:
        self._processes.forget(run)

    def process_pipelines(self) -> list[ProcessPipelineShape]:
        return self._processes.shapes()

    def process_pipeline(self, run: UUID) -> ProcessPipelineShape:
        return self._processes.shape(run)
