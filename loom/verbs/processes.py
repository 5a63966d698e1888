"""What process pipelines tell of themselves."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from loom.processes import ProcessPipeline, ProcessPipelineShape

MOST_PIPELINES = 256
"""Of so many is kept what they said."""
SILENT_AFTER_S = 10.0
FORGOTTEN_AFTER_S = 300.0
FORGOTTEN_AFTER_END_S = 600.0


class Processes(Protocol):
    """Pipelines whose tasks are processes, on whatever machine. What they say is kept in memory alone, and nothing is
    known of one that has not been heard of for `FORGOTTEN_AFTER_S`, or, where it has ended, for
    `FORGOTTEN_AFTER_END_S`."""

    def report_process_pipeline(self, pipeline: ProcessPipeline) -> None:
        """How the pipeline stands, from now on; to be said about once a second, and when it ends. Of an error the end
        is kept. What is said of a run that has ended is passed over, unless it says so too. Raises `REQUEST_INVALID`
        for what is out of bounds, two tasks, streams or events of one name, a name that stands for nothing, and where
        `MOST_PIPELINES` others run."""
        ...

    def forget_process_pipeline(self, run: UUID) -> None:
        """Also where nothing is known of it."""
        ...

    def process_pipelines(self) -> list[ProcessPipelineShape]:
        """The newest first."""
        ...

    def process_pipeline(self, run: UUID) -> ProcessPipelineShape:
        """Raises `NOT_FOUND`."""
        ...
