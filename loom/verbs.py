"""What one can ask of Loom, as small protocols. `loom.service` answers in process, `loom.client` over HTTP; one
conformance suite drives both. Every verb may raise `LoomError`; every verb that writes may be said twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from loom.errors import LoomError
from loom.events import Event, Progress, RunHead
from loom.graph.specs import OperatorSpec
from loom.model import AssetReport, Kind, KnownAsset, KnownFile, Resources, RunClosing, RunOpening, State, Worker
from loom.shapes import (
    AssetResultsShape,
    AssetShape,
    FacetsShape,
    FailureShape,
    FlowShape,
    ForecastShape,
    GridShape,
    LocationShape,
    Page,
    PipelineShape,
    ResultShape,
    RunShape,
    WorkerShape,
)
from loom.steering import EVERY_FAILURE, AssetQuery, Pause, Place, RunOrders, RunRequest, Selection

PAGE = 100
MAX_PAGE = 500


class Said(NamedTuple):
    """The name of something that is said: by whom, and a number that grows."""

    by: UUID
    number: int


class NewArtifact(NamedTuple):
    """Bytes to be kept under `digest`, their BLAKE3-256."""

    digest: bytes
    media_type: str
    data: bytes


class Definitions(Protocol):
    """Stored pipelines. Every save that changes something makes a new immutable version."""

    def pipelines(self, *, limit: int = PAGE, cursor: str | None = None) -> Page[PipelineShape]: ...

    def pipeline(self, name: str, version: int | None = None) -> PipelineShape: ...

    def save_pipeline(self, definition: dict[str, Any], *, if_match: str | None = None) -> PipelineShape:
        """Raises `DEFINITION_INVALID` (a `DefinitionError` with its diagnostics), `VERSION_CONFLICT` when `if_match`
        is not the etag of the current version (`*`: there must be one)."""
        ...

    def delete_pipeline(self, name: str, *, if_match: str | None = None) -> None:
        """Raises `NOT_FOUND`, and `VERSION_CONFLICT` as `save_pipeline`."""
        ...

    def pipeline_versions(self, name: str) -> list[PipelineShape]: ...

    def restore_pipeline(self, name: str, version: int, *, if_match: str | None = None) -> PipelineShape:
        """Raises `NOT_FOUND`, and `VERSION_CONFLICT` as `save_pipeline`."""
        ...


class Ledger(Protocol):
    """The worker's side of assets and results, all in batches."""

    def known_files(self, host: str, directories: Sequence[bytes], plan: bytes) -> list[list[KnownFile]]:
        """For each directory the files that Loom remembers directly in it, missing ones included."""
        ...

    def known_directories(self, host: str, root: bytes) -> list[bytes]:
        """The directories at or below `root` in which Loom remembers files that are present or cannot be reached."""
        ...

    def known_sizes(self, sizes: Sequence[int]) -> set[int]:
        """Which of these sizes some known asset has."""
        ...

    def mark_missing(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> int:
        """The files (directory, name) are gone; returns how many were present until now."""
        ...

    def mark_unreachable(self, host: str, root: bytes, device: int | None = None) -> int:
        """All present files below `root`, or `root` itself if it is a file, cannot be reached for now; returns how
        many. Only those that lay on `device`, if one is given."""
        ...

    def lookup(
        self, assets: Sequence[bytes], signatures: Sequence[bytes], runs: Sequence[UUID] = ()
    ) -> list[KnownAsset]:
        """What is known of each asset, with its stored results of these signatures, in the order asked; failures that
        may be tried again are left out. `walked` tells of an outcome in one of `runs`."""
        ...

    def put_artifacts(self, artifacts: Sequence[NewArtifact]) -> None:
        """Keeps the bytes; when it returns they are on the disk. Raises `DIGEST_MISMATCH`, `DISK_FULL`."""
        ...

    def report(self, run: UUID, batch: Sequence[AssetReport], *, worker: str | None = None) -> None:
        """Stores assets, locations, results, outcomes and collections in one transaction. A COMPLETED result is never
        replaced by a FAILED one. A failure with a retryable code is kept so that its cause can be shown, but `lookup`
        never gives it. The run must be open; one that was claimed is reported by its `worker`, else `RUN_LOST`."""
        ...


class Runs(Protocol):
    """Runs. A dry run is opened and finished here only if it was asked for with `request_run`."""

    def open_run(self, opening: RunOpening) -> None:
        """Begins a run, or goes on with one that was claimed: by the worker that claimed it, else `RUN_LOST`."""
        ...

    def finish_run(self, closing: RunClosing) -> None:
        """A run that was cancelled stays so. Raises `RUN_LOST` when another worker has it."""
        ...

    def run(self, uuid: UUID) -> RunShape: ...

    def runs(self, *, pipeline: str | None = None, limit: int = PAGE, cursor: str | None = None) -> Page[RunShape]: ...

    def run_results(
        self,
        uuid: UUID,
        *,
        state: State | None = None,
        node: str | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[ResultShape]: ...

    def run_flow(self, uuid: UUID) -> FlowShape:
        """What went from node to node of a run, as far as it is stored."""
        ...

    def run_grid(self, uuid: UUID, *, offset: int = 0, limit: int = PAGE) -> GridShape:
        """What became of each node for each asset, in the order in which the assets were walked."""
        ...

    def failures(self, selection: Selection = EVERY_FAILURE) -> list[FailureShape]:
        """Failed results grouped by cause, the most frequent first. With a run: failures of that run's outcomes."""
        ...

    def failed_places(self, selection: Selection) -> list[Place]:
        """What `forget` would say; nothing is forgotten."""
        ...

    def forget(self, selection: Selection) -> list[Place]:
        """Forgets the failed results that are meant, so that the next visit computes them; says where their assets
        lie. Said again it forgets nothing more, and has nothing to say: who cannot do without the places asks for
        `failed_places` first."""
        ...


class Steering(Protocol):
    """Runs asked for, handed to workers and steered. A worker that claims goes by a name that no other process has,
    and says it as `Worker.name` in `open_run`, and as `worker` in `report` and `finish_run`. What a run of no row is
    told (one that a caller executes itself, a dry run of its own) is nothing. Pauses, resumes, new and cancelled runs
    are told on the bus."""

    def request_run(self, request: RunRequest) -> RunShape:
        """Queues a run; `version` 0 is the current one, `queued` is Loom's to say. Raises `NOT_FOUND`,
        `PIPELINE_DISABLED`, `USAGE` when there is nothing to run over, `REQUEST_INVALID` for a relative path and for
        nodes to recompute that the pipeline has not."""
        ...

    def claim_run(self, worker: str, host: str) -> RunRequest | None:
        """The oldest run that waits for a worker on this host, or whose worker was not heard of for `LEASE_S`; it is
        this worker's for as long. Runs that are paused or cancelled are not handed out."""
        ...

    def orders(self, worker: str, runs: Sequence[UUID]) -> list[RunOrders]:
        """What becomes of each of these runs, in the order asked; the worker keeps those that it has claimed for
        another `LEASE_S`. Also for runs that a caller executes itself."""
        ...

    def release_run(self, run: UUID, worker: str, error: LoomError | None = None) -> None:
        """Gives a claimed run back to the queue, or (with an error) ends it as FAILED. Raises `RUN_LOST`."""
        ...

    def pause_run(self, run: UUID, pause: Pause) -> RunShape:
        """The same owner's pause is replaced. Raises `RUN_ENDED`."""
        ...

    def resume_run(self, run: UUID, owner: str) -> RunShape:
        """Lifts that owner's pause alone. Raises `RUN_ENDED`."""
        ...

    def cancel_run(self, run: UUID) -> RunShape:
        """For good: its worker is told so; a run that has no living worker ends at once. Raises `RUN_ENDED` for one
        that has ended in another way."""
        ...

    def forecast(self, pipeline: str, query: AssetQuery) -> ForecastShape:
        """What a run of the current version over the present assets would find stored and have to compute; at most,
        for branches are not looked at. Raises `DEFINITION_INVALID` when an operator is not known here."""
        ...

    def retry(self, selection: Selection) -> list[RunShape]:
        """Forgets the failures that are meant, and queues a run over their places for each pipeline and host."""
        ...

    def set_aside(self, selection: Selection) -> int:
        """These failures are known and left: they are shown, retried and forgotten only on demand; returns how many
        were not set aside before. A failure that was forgotten and comes again is a new one."""
        ...


class Assets(Protocol):
    """Reading of assets. What does not exist raises `NOT_FOUND`."""

    def assets(
        self,
        *,
        kind: Kind | None = None,
        path: str | None = None,
        q: str | None = None,
        collection: str | None = None,
        camera: str | None = None,
        year: int | None = None,
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[AssetShape]:
        """`q` is part of a file's name, without regard to case; `path` what a file's path begins with; `camera` and
        `year` (of capture) are as `facets` tells them."""
        ...

    def assets_with_results(
        self, query: AssetQuery, *, limit: int = PAGE, cursor: str | None = None
    ) -> Page[AssetResultsShape]:
        """What `assets` would list, each with what `asset_results` would say of it."""
        ...

    def facets(self, query: AssetQuery) -> FacetsShape:
        """How many assets there are of each kind, camera and year, among those that `assets` would list."""
        ...

    def asset(self, uuid: UUID) -> AssetShape: ...

    def asset_by_hash(self, algorithm: str, digest: bytes) -> AssetShape:
        """`algorithm` is one of `blake3`, `sha256`, `sha512`, `md5`."""
        ...

    def asset_by_path(self, host: str, path: bytes) -> AssetShape: ...

    def asset_results(self, uuid: UUID) -> list[ResultShape]: ...

    def asset_locations(self, uuid: UUID) -> list[LocationShape]:
        """Where its bytes lie, and where they lay, with what became of them there."""
        ...

    def artifact(self, digest: bytes) -> tuple[str, bytes]:
        """Media type and bytes."""
        ...

    def places(self, host: str, *, kind: Kind | None = None, collection: str | None = None) -> Iterable[bytes]:
        """Paths of the present files on this host, one for each asset."""
        ...


class Workers(Protocol):
    def announce(
        self, worker: Worker, host: str, operators: Sequence[OperatorSpec], resources: Resources | None = None
    ) -> None:
        """Says what a worker offers; the catalogue of a server is the union of what its workers offer."""
        ...

    def workers(self) -> list[WorkerShape]: ...


class Bus(Protocol):
    def publish(self, run: RunHead, events: Sequence[Event], *, said: Said | None = None) -> None:
        """Numbers the events and hands them to whoever listens. Events that may have to be said again need a name for
        that: what the same `said` names is numbered once."""
        ...

    def progress(self, run: RunHead, progress: Progress) -> None: ...


class Loom(Definitions, Ledger, Runs, Steering, Assets, Workers, Bus, Protocol):
    """All of it."""

    def close(self) -> None: ...
