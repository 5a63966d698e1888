"""What workers and Loom say to each other over HTTP: the batches of `loom.verbs` as JSON.

Digests are hexadecimal, file names and paths base64 of their bytes (fields that end in `_b64`), times ISO 8601.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from loom.graph.specs import OperatorSpec
from loom.model import AssetCounts, Branch, Kind, NodeCounts, Origin, Reason, Resources, RunState, State, Worker
from loom.problems import MOST_PROBLEMS
from loom.shapes import ArtifactShape
from loom.spending import Spent

Hex = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Milliseconds = Annotated[float, Meta(ge=0, le=1e12)]
Name = Annotated[str, Meta(min_length=1, max_length=255)]
Definition = Annotated[msgspec.Raw, Meta(extra_json_schema={"type": ["object", "null"]})]
NO_DEFINITION = msgspec.Raw(b"null")


class StepWire(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a plan."""

    node: Name
    operator: Name
    operator_version: str
    signature: Hex


class OpeningWire(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of a run that the caller executes itself; saying it twice does nothing more. `settles` is the
    digest under which assets count as settled when it is not `plan`. `definition` is that of a pipeline which is not
    stored, whose `version` is 0."""

    uuid: UUID
    pipeline: Name
    version: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    plan: Hex
    steps: list[StepWire]
    worker: Worker
    host: Name
    started: datetime
    settles: Hex | None = None
    definition: Definition = msgspec.field(default_factory=lambda: NO_DEFINITION)
    dry_run: bool = False
    paths_b64: list[bytes] = []


class ProblemWire(msgspec.Struct, frozen=True, kw_only=True):
    """What kept a run from a file, a folder or a source; without a path, from going on."""

    path_b64: bytes = b""
    code: Name
    message: str


class ClosingWire(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. `problems_total` counts those that are left out of `problems` too."""

    state: RunState
    finished: datetime
    assets: AssetCounts
    nodes: dict[str, NodeCounts]
    bytes: Size = 0
    worker: Name | None = None
    would_write: dict[str, Any] | None = None
    problems: Annotated[list[ProblemWire], Meta(max_length=MOST_PROBLEMS)] = []
    problems_total: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    spent: Spent | None = None


class FoundWire(msgspec.Struct, frozen=True, kw_only=True):
    """Where an asset's bytes were found. `trusted` is false when the file was written less than two seconds before it
    was read."""

    directory_b64: bytes
    name_b64: bytes
    size: Size
    mtime_ns: int
    inode: int
    device: int
    trusted: bool


class FaultWire(msgspec.Struct, frozen=True):
    code: Name
    message: str


class StoredWire(msgspec.Struct, frozen=True, kw_only=True):
    """A result as stored; `outputs` is a JSON object."""

    signature: Hex
    state: State
    verdict: Branch | None = None
    outputs: msgspec.Raw
    artifacts: list[ArtifactShape] = []
    error: FaultWire | None = None
    duration_ms: Milliseconds = 0


class OutcomeWire(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one node."""

    state: State
    reason: Reason | None = None
    origin: Origin | None = None
    verdict: Branch | None = None
    duration_ms: Milliseconds = 0


class AssetWire(msgspec.Struct, frozen=True, kw_only=True):
    """An asset and where it lies."""

    blake3: Hex
    size: Size
    mime: Name
    kind: Kind
    found: list[FoundWire]
    collections: list[Name] = []


class AssetsWire(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction; the run must be open."""

    run: UUID
    items: list[AssetWire]


class ResultsQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """`runs`: an outcome in one of these makes an asset `walked`. `taker` and `plan`: who takes them in hand."""

    assets: list[Hex]
    signatures: list[Hex]
    runs: list[UUID] = []
    taker: Name | None = None
    plan: Hex | None = None


class InHandWire(msgspec.Struct, frozen=True, kw_only=True):
    """Of what it has taken, the taker goes on with these, and has let go of all others."""

    taker: Name
    plan: Hex
    assets: list[Hex]


class KnownAssetWire(msgspec.Struct, frozen=True, kw_only=True):
    known: bool
    walked: bool = False
    elsewhere: bool = False
    results: list[StoredWire] = []


class KnownAssets(msgspec.Struct, frozen=True):
    """In the order asked."""

    items: list[KnownAssetWire]


class FilesQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """`plan` is the digest under which a file may be settled."""

    host: Name
    directories_b64: list[bytes]
    plan: Hex


class KnownFileWire(msgspec.Struct, frozen=True, kw_only=True):
    """`asset` is its BLAKE3, given when the file is not settled and its stat can be trusted. `failed`: it is settled,
    and some node had failed on it. `away`: it is out of reach, and would be settled if it were not."""

    name_b64: bytes
    size: int
    mtime_ns: int
    inode: int
    device: int
    present: bool
    settled: bool
    asset: Hex | None = None
    failed: bool = False
    away: bool = False


class KnownFiles(msgspec.Struct, frozen=True):
    """One list of files for each directory, in the order asked."""

    items: list[list[KnownFileWire]]


class RootWire(msgspec.Struct, frozen=True, kw_only=True):
    """A directory of a host, with all below it; only what lay on `device`, if one is given."""

    host: Name
    root_b64: bytes
    device: int | None = None


class Directories(msgspec.Struct, frozen=True):
    items_b64: list[bytes]


class FileWire(msgspec.Struct, frozen=True, kw_only=True):
    directory_b64: bytes
    name_b64: bytes


class FilesOfHost(msgspec.Struct, frozen=True, kw_only=True):
    """`device`: where they lie, if that is told."""

    host: Name
    files: list[FileWire]
    device: int | None = None


class KnownPlaces(msgspec.Struct, frozen=True):
    """Of each file whether it is remembered, in the order asked."""

    known: list[bool]


class Counted(msgspec.Struct, frozen=True):
    """How many were concerned."""

    count: int


class Sizes(msgspec.Struct, frozen=True):
    sizes: list[Size]


class PathQuestion(msgspec.Struct, frozen=True, kw_only=True):
    host: Name
    path_b64: bytes


class SelectionWire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which failed results are meant; null means any. `since` and `until` (left out) are about when they failed; those
    that are set aside are meant only with `aside`."""

    run: UUID | None = None
    node: str | None = None
    code: str | None = None
    asset: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    aside: bool = False
    cause: str | None = None


class PlaceWire(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be visited again, and the version of the pipeline that failed on it; one below 0 was a file's."""

    pipeline: str
    host: str
    path_b64: bytes
    version: int = 0


class Places(msgspec.Struct, frozen=True):
    items: list[PlaceWire]


class PathLine(msgspec.Struct, frozen=True):
    """One line of `GET /locations`."""

    path_b64: bytes


class ArtifactHead(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one derived file in front of the bytes of a batch."""

    digest: Hex
    media_type: Name
    size: Size


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker offers."""

    worker: Worker
    host: Name
    operators: list[OperatorSpec]
    resources: Resources | None = None
