"""What a process pipeline says of itself, over HTTP."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from loom.errors import LoomError
from loom.processes import ProcessPipeline, ProcessPipelineBase, said_of, with_short_errors
from loom.wire.values import microseconds_of, moment_of


class ProcessPipelineWire(ProcessPipelineBase, frozen=True, kw_only=True):
    """A process pipeline as it tells of itself; the address says which run of it."""

    started: datetime


def process_pipeline_to_wire(pipeline: ProcessPipeline) -> bytes:
    """In JSON. Raises `REQUEST_INVALID` for what cannot be sent."""
    try:
        short = with_short_errors(pipeline)
        return msgspec.json.encode(ProcessPipelineWire(started=moment_of(short.started), **said_of(short)))
    except (UnicodeError, OverflowError) as error:
        raise LoomError("REQUEST_INVALID", f"This cannot be said of a process pipeline: {error}") from None


def process_pipeline_of_wire(run: UUID, wire: ProcessPipelineWire) -> ProcessPipeline:
    """Raises `REQUEST_INVALID` for a time without a zone."""
    return ProcessPipeline(run=run, started=microseconds_of(wire.started), **said_of(wire))
