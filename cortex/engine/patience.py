"""Loom over a line that may break: what cannot be told waits in the spool, what cannot be asked counts as unknown."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from cortex.engine.spool import Spool, Told
from loom.errors import LoomError
from loom.model import AssetReport, Event, KnownAsset, KnownFile, Progress, RunClosing, RunHead, RunOpening
from loom.verbs import Loom, NewArtifact

T = TypeVar("T")

REST_S = 2.0
"""How long Loom is left alone after it could not be reached."""


class Patient:
    """The verbs of a run, said to a Loom that may be away for a while.

    Messages are told in the order in which they were said, through the spool while Loom is away; each may arrive
    twice, which Loom does not mind. Questions are answered with nothing known meanwhile: work may be done again then,
    but nothing is lost, and nothing is taken for gone. Events are told to those who listen at the time or not at all.
    All other verbs are Loom's own.
    """

    def __init__(self, loom: Loom, spool: Spool) -> None:
        self._loom = loom
        self._spool = spool
        self._away_until = 0.0

    def open_run(self, opening: RunOpening) -> None:
        self._say(Told(opening=opening))

    def finish_run(self, closing: RunClosing) -> None:
        self._say(Told(closing=closing))

    def put_artifacts(self, artifacts: Sequence[NewArtifact]) -> None:
        self._say(Told(artifacts=list(artifacts)))

    def report(self, run: UUID, batch: Sequence[AssetReport]) -> None:
        self._say(Told(run=run, reports=list(batch)))

    def known_files(self, host: str, directories: Sequence[bytes], plan: bytes) -> list[list[KnownFile]]:
        return self._ask(lambda: self._loom.known_files(host, directories, plan), [[] for _ in directories])

    def known_directories(self, host: str, root: bytes) -> list[bytes]:
        return self._ask(lambda: self._loom.known_directories(host, root), [])

    def known_sizes(self, sizes: Sequence[int]) -> set[int]:
        return self._ask(lambda: self._loom.known_sizes(sizes), set(sizes))

    def mark_missing(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> int:
        return self._ask(lambda: self._loom.mark_missing(host, files), 0)

    def mark_unreachable(self, host: str, root: bytes) -> int:
        return self._ask(lambda: self._loom.mark_unreachable(host, root), 0)

    def lookup(
        self, assets: Sequence[bytes], signatures: Sequence[bytes], runs: Sequence[UUID] = ()
    ) -> list[KnownAsset]:
        nothing = [KnownAsset(False) for _ in assets]
        return self._ask(lambda: self._loom.lookup(assets, signatures, runs), nothing)

    def publish(self, run: RunHead, events: Sequence[Event]) -> None:
        self._ask(lambda: self._loom.publish(run, events), None)

    def progress(self, run: RunHead, progress: Progress) -> None:
        self._ask(lambda: self._loom.progress(run, progress), None)

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._loom, verb)

    def flush(self) -> None:
        """Sends all that waits. Raises `LOOM_UNREACHABLE` when Loom still is."""
        self._spool.send(self._tell)

    def wait_and_flush(self, grace_s: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """As `flush`, trying again for up to `grace_s` seconds."""
        end = time.monotonic() + grace_s
        while True:
            try:
                return self.flush()
            except LoomError as error:
                if error.code != "LOOM_UNREACHABLE" or time.monotonic() >= end:
                    raise
            sleep(min(REST_S, grace_s))

    def _say(self, told: Told) -> None:
        if time.monotonic() < self._away_until:
            self._spool.put(told)
            return
        try:
            self.flush()
            self._tell(told)
        except LoomError as error:
            self._note(error)
            self._spool.put(told)

    def _ask(self, question: Callable[[], T], unknown: T) -> T:
        if time.monotonic() < self._away_until:
            return unknown
        try:
            return question()
        except LoomError as error:
            self._note(error)
            return unknown

    def _note(self, error: LoomError) -> None:
        if error.code != "LOOM_UNREACHABLE":
            raise error
        self._away_until = time.monotonic() + REST_S

    def _tell(self, told: Told) -> None:
        if told.opening is not None:
            self._loom.open_run(told.opening)
        if told.closing is not None:
            self._loom.finish_run(told.closing)
        if told.artifacts is not None:
            self._loom.put_artifacts(told.artifacts)
        if told.run is not None and told.reports is not None:
            self._loom.report(told.run, told.reports)
