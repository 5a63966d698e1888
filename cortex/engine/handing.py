"""Derived files of earlier nodes, for the nodes after them: where they are stored, and what of them goes to workers."""

from __future__ import annotations

from typing import Protocol

from blake3 import blake3
from msgspec.structs import replace

from cortex.engine.failures import as_failure
from cortex.engine.records import Handed, Walked
from cortex.outputs import check_handed
from loom.errors import LoomError
from loom.graph.plan import Plan
from loom.model import ArtifactRef

MOST_BESIDE = 512 * 1024 * 1024
"""No larger stored file is read for a node beside the sandbox."""

MOST_IN_WORKER = 64 * 1024 * 1024
"""All that is handed to a worker for one asset is no larger: it travels in one message."""


class Store(Protocol):
    """Loom, as far as it is asked here."""

    def artifact(self, digest: bytes) -> tuple[str, bytes]: ...


class LocalStore(Protocol):
    """The cache, likewise."""

    def artifact(self, digest: bytes) -> bytes | None: ...


class DerivedFiles:
    """The derived files that are stored: in the cache, where there is one and has it, else in Loom."""

    def __init__(self, loom: Store | None, cache: LocalStore | None) -> None:
        self._loom = loom
        self._cache = cache

    def read(self, ref: ArtifactRef, most: int = MOST_BESIDE) -> bytes:
        """Raises `FILE_TOO_LARGE` for one of more than `most` bytes, `READ_FAILED` for one that is lost or damaged, and
        what Loom raises that cannot be reached."""
        check_handed(ref.name, ref.size, most)
        data = self._find(ref.digest)
        if data is None or blake3(data).digest() != ref.digest:
            raise LoomError(
                "READ_FAILED",
                f"the stored derived file {ref.name!r} is lost or damaged: compute the node anew that made it",
            )
        return data

    def _find(self, digest: bytes) -> bytes | None:
        data = self._cache.artifact(digest) if self._cache is not None else None
        if data is not None or self._loom is None:
            return data
        try:
            return self._loom.artifact(digest)[1]
        except LoomError as error:
            if error.code == "NOT_FOUND":
                return None
            raise

    def handed(self, before: tuple[Handed, ...], wanted: tuple[ArtifactRef, ...]) -> tuple[Handed, ...]:
        """What goes to a worker with an asset whose next step wants files, after those `before`."""
        found = list(before)
        for ref in wanted:
            left = MOST_IN_WORKER - sum(len(one.data) for one in found)
            try:
                found.append(Handed(ref.digest, self.read(ref, left)))
            except Exception as error:
                found.append(Handed(ref.digest, b"", as_failure(error)))
        return tuple(found)


def lighter(plan: Plan, walked: Walked) -> Walked:
    """Without the derived files, which are stored by now, of steps that no step to come reads."""
    read = {index for step in plan.steps[walked.next_step :] for index in step.reads.values()}
    return walked._replace(
        computed=tuple(
            made if made.step in read else replace(made, artifacts=(), spilled=()) for made in walked.computed
        )
    )
