"""The nouns as they look from outside: the JSON of the API, the client and `cortex show`.

Fields may be added, never renamed. UUIDs and digests are text here, times ISO 8601 in UTC, durations milliseconds.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from loom.model import AssetCounts, Branch, Kind, LocationState, NodeCounts, Origin, Reason, RunState, State

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A piece of a list; `next` is the cursor of the piece after it, or None at the end."""

    items: list[T]
    next: str | None = None


class LocationShape(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is for people (undecodable bytes replaced); `path_b64` is there when they had to be."""

    host: str
    path: str
    size: int
    mtime: str
    state: LocationState
    path_b64: str | None = None


class AssetShape(msgspec.Struct, frozen=True, kw_only=True):
    uuid: UUID
    blake3: str
    sha256: str | None = None
    kind: Kind
    mime: str
    size: int
    locations: list[LocationShape]
    first_seen: str
    collections: list[str] = []


class ArtifactShape(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    digest: str
    media_type: str
    size: int


class ErrorShape(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str
    retryable: bool = False


class ProducerShape(msgspec.Struct, frozen=True, kw_only=True):
    worker: str
    versions: dict[str, str]


class ResultShape(msgspec.Struct, frozen=True, kw_only=True):
    """A stored result, or (in the listing of a run) an outcome with the result it has."""

    asset: UUID
    signature: str
    run: UUID | None
    pipeline: str | None
    node: str
    operator: str
    operator_version: str
    state: State
    origin: Origin | None
    verdict: Branch | None
    outputs: dict[str, Any]
    artifacts: list[ArtifactShape]
    duration_ms: float
    reason: Reason | None
    error: ErrorShape | None
    finished: str | None
    produced_by: ProducerShape | None


class RunShape(msgspec.Struct, frozen=True, kw_only=True):
    uuid: UUID
    pipeline: str
    version: int
    state: RunState
    dry_run: bool
    started: str
    finished: str | None
    assets: AssetCounts
    nodes: dict[str, NodeCounts]
    bytes: int = 0
    paths: list[str] = []


class NewestShape(msgspec.Struct, frozen=True, kw_only=True):
    asset: UUID
    path: str | None
    run: UUID | None
    time: str


class FailureShape(msgspec.Struct, frozen=True, kw_only=True):
    """Failed results with the same cause."""

    code: str
    node: str
    operator: str
    count: int
    message: str
    newest: NewestShape
    retryable: bool = False


class PipelineShape(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a stored pipeline; `etag` is what `If-Match` takes."""

    name: str
    version: int
    enabled: bool
    priority: int
    description: str
    definition: dict[str, Any]
    etag: str
    created: str


class DiagnosticShape(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the compiler has to say. `level` is `error` or `warning`; `edge` is the edge's index."""

    level: str
    code: str
    message: str
    node: str | None = None
    edge: int | None = None
    field: str | None = None


class WorkerShape(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    host: str
    versions: dict[str, str]
    operators: list[str]
    last_seen: str
