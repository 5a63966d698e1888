"""The nouns as they look from outside: the JSON of the API, the client and `cortex show`.

Fields may be added, never renamed. UUIDs and digests are text here, times ISO 8601 in UTC, durations milliseconds.
"""

from __future__ import annotations

import re
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from loom.model import AssetCounts, Branch, Kind, LocationState, NodeCounts, Origin, Reason, Resources, RunState, State
from loom.spending import Spent
from loom.steering import AssetQuery

T = TypeVar("T")
Depth = Literal["new", "node", "now"]
Change = Literal["found", "moved", "gone", "returned", "replaced"]


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A piece of a list; `next` is the cursor of the piece after it, or None at the end."""

    items: list[T]
    next: str | None = None


class ChangeShape(msgspec.Struct, frozen=True, kw_only=True):
    """Something that became of a file; `path` is its own, or that to which it was `moved`."""

    change: Change
    time: str
    path: str


class LocationShape(msgspec.Struct, frozen=True, kw_only=True):
    """`path` is for people (undecodable bytes replaced); `path_b64` is there when they had to be. `history`, the oldest
    first, is there where the locations of one asset are listed; a place at which something else lies now is `missing`
    there."""

    host: str
    path: str
    size: int
    mtime: str
    state: LocationState
    path_b64: str | None = None
    history: list[ChangeShape] | UnsetType = UNSET


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


_WORD = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_MEDIA_TYPE = rf"{_WORD}/{_WORD}(?: *; *{_WORD}=(?:{_WORD}|\"[ !#-\[\]-~]*\"))*"


def is_media_type(text: str) -> bool:
    """Whether it is one, maybe with parameters (RFC 9110): nothing else could be sent as the type of a file."""
    return len(text) <= 255 and re.fullmatch(_MEDIA_TYPE, text) is not None


class ArtifactShape(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    digest: str
    media_type: str
    size: int


class ErrorShape(msgspec.Struct, frozen=True, kw_only=True):
    code: str
    message: str
    retryable: bool = False
    cause: str | UnsetType = UNSET


class ProducerShape(msgspec.Struct, frozen=True, kw_only=True):
    worker: str
    versions: dict[str, str]


class ResultShape(msgspec.Struct, frozen=True, kw_only=True):
    """A stored result, or (in the listing of a run) an outcome with the result it has. `handled`: it failed, and an
    `ERROR` edge of the pipeline leads on from it."""

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
    handled: bool = False


class AssetResultsShape(msgspec.Struct, frozen=True, kw_only=True):
    """An asset with all its results, the oldest first and then in the order of the plan."""

    asset: AssetShape
    results: list[ResultShape]


class PauseShape(msgspec.Struct, frozen=True, kw_only=True):
    """A reason why a run stands still. `depth` is `new` (no new assets), `node` (after the node that is at work) or
    `now`."""

    owner: str
    reason: str
    depth: Depth
    since: str


class RequestShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was asked to go over. Of paths and assets at most 100 are shown; the totals count all."""

    paths: list[str] = []
    globs: list[str] = []
    assets: list[UUID] = []
    filter: AssetQuery | None = None
    recompute: list[str] = []
    host: str | None = None
    source: str | None = None
    total_paths: int = 0
    total_assets: int = 0


class RunShape(msgspec.Struct, frozen=True, kw_only=True):
    """`started` is null as long as no worker has begun it, `request` for a run that its caller executes itself.
    `error` is why a worker could not do it at all, `would_write` what a dry run would have written, `problems` how
    often it was kept from a file, a folder or a source. `forgotten`: of an old run only the counts are kept."""

    uuid: UUID
    pipeline: str
    version: int
    state: RunState
    dry_run: bool
    started: str | None
    finished: str | None
    assets: AssetCounts
    nodes: dict[str, NodeCounts]
    bytes: int = 0
    paths: list[str] = []
    paused: list[PauseShape] = []
    request: RequestShape | None = None
    worker: str | None = None
    queued: str | None = None
    error: ErrorShape | None = None
    would_write: dict[str, Any] | None = None
    problems: int = 0
    forgotten: bool = False
    spent: Spent | None = None


class NodeFlow(msgspec.Struct, frozen=True, kw_only=True):
    """Assets at one node of a run: `passed` and `rejected` by its verdict (`FAIL` rejects), `through` were skipped and
    went on, `missed` never reached it, `errors` failed, now or before. The median is of what was computed. `both`: of
    those that passed, the ones of which single items were rejected. `buckets`: by name, where edges lead out of
    some."""

    passed: int = 0
    rejected: int = 0
    through: int = 0
    missed: int = 0
    errors: int = 0
    median_ms: float | None = None
    both: int = 0
    buckets: dict[str, int] = {}


class FlowShape(msgspec.Struct, frozen=True, kw_only=True):
    """What went from node to node, as far as it is stored."""

    nodes: dict[str, NodeFlow]


class GridShape(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a run's grid. A row is an asset, the name of one of its files, and a letter for each node: `C`
    computed, `S` stored, `K` skipped, `F` failed, `B` failed before, `-` nothing yet."""

    run: UUID
    total: int
    offset: int
    nodes: list[str]
    rows: list[tuple[UUID, str, str]]


class FacetsShape(msgspec.Struct, frozen=True, kw_only=True):
    """How many assets there are of each value; `total` counts those that fit all that was asked, each facet those that
    fit all but itself. `place` is `known` or `unknown`; a picture counts for each of its main colours."""

    kind: dict[str, int]
    camera: dict[str, int]
    year: dict[str, int]
    place: dict[str, int] = {}
    color: dict[str, int] = {}
    total: int


class ForecastNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a pipeline before a run: how many assets have its result, how many lack it, and how many have only
    one of an older version or of other options. `seconds` of computing, from the median of the operator's durations;
    null when it never ran."""

    node: str
    operator: str
    stored: int
    missing: int
    stale: int
    seconds: float | None


class KindCost(msgspec.Struct, frozen=True, kw_only=True):
    """What an asset of a kind takes: `seconds` of computing all its nodes and `bytes`, medians of so many `assets`."""

    kind: Kind
    assets: int
    seconds: float
    bytes: int


class ForecastShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would have to do at most. `seconds` is the sum over the nodes whose time is known, on one core."""

    pipeline: str
    version: int
    assets: int
    nodes: list[ForecastNode]
    seconds: float


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
    """`heartbeat` is when it last asked for work or orders, `runs` are those it has claimed."""

    name: str
    host: str
    versions: dict[str, str]
    operators: list[str]
    last_seen: str
    heartbeat: str | None = None
    online: bool = False
    resources: Resources | None = None
    runs: list[UUID] = []
