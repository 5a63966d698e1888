"""What one can ask of Loom, as small protocols. `loom.service` answers in process, `loom.client` over HTTP; one
conformance suite drives both. Every verb may raise `LoomError`; every verb that writes may be said twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from loom.graph.specs import OperatorSpec
from loom.model import (
    AssetReport,
    Event,
    Kind,
    KnownAsset,
    KnownFile,
    Progress,
    RunClosing,
    RunHead,
    RunOpening,
    State,
    Worker,
)
from loom.shapes import AssetShape, FailureShape, Page, PipelineShape, ResultShape, RunShape, WorkerShape

PAGE = 100
MAX_PAGE = 500


class Selection(NamedTuple):
    """Which failed results are meant; None means any."""

    run: UUID | None = None
    node: str | None = None
    code: str | None = None
    asset: UUID | None = None


EVERY_FAILURE = Selection()


class Place(NamedTuple):
    """A file to be visited again: the pipeline that failed on it and where it lies."""

    pipeline: str
    host: str
    path: bytes


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

    def delete_pipeline(self, name: str) -> None: ...

    def pipeline_versions(self, name: str) -> list[PipelineShape]: ...

    def restore_pipeline(self, name: str, version: int) -> PipelineShape: ...


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

    def mark_unreachable(self, host: str, root: bytes) -> int:
        """All present files below `root`, or `root` itself if it is a file, cannot be reached for now; returns how
        many."""
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

    def report(self, run: UUID, batch: Sequence[AssetReport]) -> None:
        """Stores assets, locations, results, outcomes and collections in one transaction. A COMPLETED result is never
        replaced by a FAILED one. A failure with a retryable code is kept so that its cause can be shown, but `lookup`
        never gives it. The run must be open."""
        ...


class Runs(Protocol):
    """Runs; a dry run is never opened here."""

    def open_run(self, opening: RunOpening) -> None: ...

    def finish_run(self, closing: RunClosing) -> None: ...

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

    def failures(self, selection: Selection = EVERY_FAILURE) -> list[FailureShape]:
        """Failed results grouped by cause, the most frequent first. With a run: failures of that run's outcomes."""
        ...

    def forget(self, selection: Selection) -> list[Place]:
        """Forgets the failed results that are meant, so that the next visit computes them; says where their assets
        lie."""
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
        limit: int = PAGE,
        cursor: str | None = None,
    ) -> Page[AssetShape]: ...

    def asset(self, uuid: UUID) -> AssetShape: ...

    def asset_by_hash(self, algorithm: str, digest: bytes) -> AssetShape:
        """`algorithm` is one of `blake3`, `sha256`, `sha512`, `md5`."""
        ...

    def asset_by_path(self, host: str, path: bytes) -> AssetShape: ...

    def asset_results(self, uuid: UUID) -> list[ResultShape]: ...

    def artifact(self, digest: bytes) -> tuple[str, bytes]:
        """Media type and bytes."""
        ...

    def places(self, host: str, *, kind: Kind | None = None, collection: str | None = None) -> Iterable[bytes]:
        """Paths of the present files on this host, one for each asset."""
        ...


class Workers(Protocol):
    def announce(self, worker: Worker, host: str, operators: Sequence[OperatorSpec]) -> None:
        """Says what a worker offers; the catalogue of a server is the union of what its workers offer."""
        ...

    def workers(self) -> list[WorkerShape]: ...


class Bus(Protocol):
    def publish(self, run: RunHead, events: Sequence[Event]) -> None:
        """Numbers the events and hands them to whoever listens."""
        ...

    def progress(self, run: RunHead, progress: Progress) -> None: ...


class Loom(Definitions, Ledger, Runs, Assets, Workers, Bus, Protocol):
    """All of it."""

    def close(self) -> None: ...
