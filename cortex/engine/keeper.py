"""Where a run finds stored results and leaves new ones: the local cache, Loom, or both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID, uuid4

from cortex.engine.cache import Cache
from cortex.engine.reporting import Batch
from cortex.engine.tally import LaneRun
from cortex.engine.usable import Usable
from cortex.sources.roots import join
from loom.ending import disk_full
from loom.errors import NO_ROOM, LoomError, is_retryable
from loom.model import Action, AssetReport, KnownAsset, Origin, RunOpening, State, StoredResult
from loom.verbs import Ledger, NewArtifact, Taker

_IN_MEMORY = 1024 * 1024
"""Larger derived files go to Loom out of the file in which they lie."""


class CacheOnly:
    """No Loom at all: results live in the local cache, and nothing else is remembered."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def known_sizes(self, sizes: Sequence[int]) -> set[int]:
        return set(sizes)

    def usable(self, assets: Sequence[tuple[bytes, bytes]], signatures: Sequence[bytes]) -> list[Usable]:
        kept = [_cached(self._cache, asset, path, signatures) for asset, path in assets]
        return [Usable(bool(results), False, results) for results in kept]

    def keep_in_hand(self, assets: Sequence[bytes]) -> None:
        """Nobody else knows what is in hand here."""

    def open(self, run: LaneRun) -> None:
        """There is nobody to be told of a run."""

    def intend(self, run: LaneRun, ahead: Sequence[Action], dropped: Sequence[UUID]) -> None:
        """There is nobody who could write it down."""

    def keep(self, batch: Batch) -> None:
        into_cache(self._cache, batch)

    def known_places(self, places: Sequence[tuple[bytes, bytes]]) -> list[bool]:
        """Nobody remembers where a file lay."""
        return [False for _ in places]


class WithLoom:
    """Loom, asked and told in batches, with a cache before it where one is in use.

    A result that the cache has is used from there; if Loom does not have it, Loom is given it. Failures are Loom's
    to remember and to forget, so that those in the cache do not count.
    """

    def __init__(
        self,
        ledger: Ledger,
        host: str,
        open_run: Callable[[RunOpening], None],
        runs: Iterable[LaneRun],
        opening: Callable[[LaneRun], RunOpening],
        cache: Cache | None = None,
        worker: str | None = None,
        settles: bytes | None = None,
    ) -> None:
        """`host` is the machine on which the files lie. `settles` is the digest of all that is done with an asset: what
        another one has in hand under the same is not done twice; None: nobody is to wait for this one."""
        self._ledger = ledger
        self._host = host
        self._worker = worker
        self._taker = None if settles is None else Taker(uuid4().hex, settles)
        self._open_run = open_run
        self._runs = tuple(runs)
        self._opening = opening
        self._cache = cache
        self._opening_one = threading.Lock()

    def known_sizes(self, sizes: Sequence[int]) -> set[int]:
        return self._ledger.known_sizes(sizes)

    def usable(self, assets: Sequence[tuple[bytes, bytes]], signatures: Sequence[bytes]) -> list[Usable]:
        runs = [run.uuid for run in self._runs if run.opened]
        known = self._ledger.lookup([asset for asset, _ in assets], signatures, runs, self._taker)
        return [
            self._usable(asset, path, found, signatures) for (asset, path), found in zip(assets, known, strict=True)
        ]

    def _usable(self, asset: bytes, path: bytes, found: KnownAsset, signatures: Sequence[bytes]) -> Usable:
        stored = {result.signature: (result, Origin.REMOTE) for result in found.results}
        if self._cache is None:
            return Usable(found.known, found.walked, stored, elsewhere=found.elsewhere)
        kept = _cached(self._cache, asset, path, signatures)
        cached = {digest: usable for digest, usable in kept.items() if usable[0].state is State.COMPLETED}
        uploads = tuple(result for digest, (result, _) in cached.items() if digest not in stored)
        return Usable(found.known, found.walked, {**stored, **cached}, uploads, found.elsewhere)

    def keep_in_hand(self, assets: Sequence[bytes]) -> None:
        """These are still being worked on, and no others."""
        if self._taker is not None:
            self._ledger.keep_in_hand(self._taker, assets)

    def open(self, run: LaneRun) -> None:
        """Tells Loom of a run, once; any thread may."""
        with self._opening_one:
            if not run.opened:
                self._open_run(self._opening(run))
                run.opened = True

    def intend(self, run: LaneRun, ahead: Sequence[Action], dropped: Sequence[UUID]) -> None:
        """Writes down what is about to be done to files, and what was not done after all."""
        self.open(run)
        self._ledger.intend(run.uuid, ahead, dropped, worker=self._worker)

    def keep(self, batch: Batch) -> None:
        self.open(batch.run)
        artifacts = [*batch.artifacts.values(), *self._from_cache(batch.reports, batch.artifacts)]
        if artifacts:
            self._ledger.put_artifacts(artifacts)
        self._ledger.report(batch.run.uuid, batch.reports, worker=self._worker)
        if self._cache is not None:
            into_cache(self._cache, batch)

    def known_places(self, places: Sequence[tuple[bytes, bytes]]) -> list[bool]:
        """Of each (directory, name) whether a file is remembered there."""
        return self._ledger.known_places(self._host, places)

    def _from_cache(self, reports: Sequence[AssetReport], fresh: dict[bytes, NewArtifact]) -> list[NewArtifact]:
        """Derived files of results that come from the cache."""
        if self._cache is None:
            return []
        found: dict[bytes, NewArtifact] = {}
        for ref in (ref for report in reports for result in report.results for ref in result.artifacts):
            if ref.digest not in fresh and ref.digest not in found:
                parts = self._cache.opened(ref.digest)
                if parts is not None and parts.size > _IN_MEMORY:
                    found[ref.digest] = NewArtifact(ref.digest, ref.media_type, b"", parts)
                elif parts is not None:
                    found[ref.digest] = NewArtifact(ref.digest, ref.media_type, parts.read())
        return list(found.values())


def into_cache(cache: Cache, batch: Batch) -> None:
    """Keeps what a batch computed; failures that may be tried again are not kept. Raises `DISK_FULL`, and
    `CONFIG_INVALID` for a cache that cannot be written."""
    try:
        cache.put_artifacts(list(batch.artifacts.values()))
        for report in batch.reports:
            lasting = [r for r in report.results if r.error_code is None or not is_retryable(r.error_code)]
            if lasting:
                found = report.found[0]
                cache.put(report.blake3, join(found.directory, found.name), lasting)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(cache.folder) from error
        raise LoomError("CONFIG_INVALID", f"the local cache cannot be written: {error.strerror}") from error


def _cached(
    cache: Cache, asset: bytes, path: bytes, signatures: Sequence[bytes]
) -> dict[bytes, tuple[StoredResult, Origin]]:
    """The results that the cache has with all their derived files, which may be lost while the record is not."""
    kept = cache.get(asset, path)
    return {
        digest: (kept[digest], Origin.CACHED)
        for digest in signatures
        if digest in kept and all(_is_whole(cache, ref.digest) for ref in kept[digest].artifacts)
    }


def _is_whole(cache: Cache, digest: bytes) -> bool:
    parts = cache.opened(digest)
    return parts is not None and parts.digest() == digest
