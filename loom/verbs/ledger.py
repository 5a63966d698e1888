"""What one can tell and ask Loom of assets and results, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from loom.model import Action, AssetReport, KnownAsset, KnownFile
from loom.parts import Parts


class NewArtifact(NamedTuple):
    """Bytes to be kept under `digest`, their BLAKE3-256: `data`, or `parts` of a file where they are too many."""

    digest: bytes
    media_type: str
    data: bytes
    parts: Parts | None = None

    @property
    def size(self) -> int:
        return len(self.data) if self.parts is None else self.parts.size

    def pieces(self) -> Iterator[bytes]:
        """All of them, piece by piece."""
        return iter((self.data,)) if self.parts is None else self.parts.pieces()


class Taker(NamedTuple):
    """Who has assets in hand: a name that nobody else has, and the digest of the plan under which it walks them."""

    name: str
    plan: bytes


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

    def known_places(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> list[bool]:
        """Of each file (directory, name) whether Loom remembers one there, be it missing."""
        ...

    def mark_missing(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> int:
        """The files (directory, name) are gone; returns how many were present until now."""
        ...

    def mark_present(self, host: str, files: Sequence[tuple[bytes, bytes]], device: int) -> int:
        """The files (directory, name) can be reached again, are what they were and lie on `device`, which may have had
        another number; returns how many could not be reached."""
        ...

    def mark_unreachable(self, host: str, root: bytes, device: int | None = None) -> int:
        """All present files below `root`, or `root` itself if it is a file, cannot be reached for now; returns how
        many. Only those that lay on `device`, if one is given."""
        ...

    def lookup(
        self,
        assets: Sequence[bytes],
        signatures: Sequence[bytes],
        runs: Sequence[UUID] = (),
        taker: Taker | None = None,
    ) -> list[KnownAsset]:
        """What is known of each asset, with its stored results of these signatures, in the order asked; failures that
        may be tried again are left out. `walked` tells of an outcome in one of `runs`. With a `taker` each asset is in
        its hands from then on, unless it is `elsewhere`: another one has it under the same plan, and will have stored
        its results when it lets go. Loom may forget that, and then work is done twice."""
        ...

    def keep_in_hand(self, taker: Taker, assets: Sequence[bytes]) -> None:
        """Of what it has taken it goes on with these, and has let go of all others. To be said again and again:
        whoever is not heard of for `LEASE_S` has let go of everything."""
        ...

    def put_artifacts(self, artifacts: Sequence[NewArtifact]) -> None:
        """Keeps the bytes; when it returns they are on the disk. Raises `DIGEST_MISMATCH`, `DISK_FULL`."""
        ...

    def intend(
        self, run: UUID, ahead: Sequence[Action], dropped: Sequence[UUID] = (), *, worker: str | None = None
    ) -> None:
        """The run is about to do this to files, and is not going to do any more what is `dropped`. What it has done
        comes with its reports. What is neither done nor dropped when the run is over was interrupted. Run and worker as
        for `report`."""
        ...

    def report(self, run: UUID, batch: Sequence[AssetReport], *, worker: str | None = None) -> None:
        """Stores assets, locations, results, outcomes, collections and actions in one transaction. A COMPLETED result
        is never replaced by a FAILED one. A failure with a retryable code is kept so that its cause can be shown, but
        `lookup` never gives it. The run must be open; one that was claimed is reported by its `worker`, else
        `RUN_LOST`."""
        ...
