"""Loom over a line that may break: what cannot be told waits in the spool, what cannot be asked counts as unknown."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from cortex.engine.spool import Spool, Told, events_of, left_behind, new_spool, told_events
from loom.errors import LoomError
from loom.events import Event, Progress, RunHead
from loom.model import Action, AssetReport, KnownAsset, KnownFile, RunClosing, RunOpening
from loom.verbs import Loom, NewArtifact, Said, Taker

T = TypeVar("T")

SPOOL = "spool"
"""The folder below the meta path that has one for each server."""

REST_S = 2.0
"""How long Loom is left alone after it could not be reached."""


class Patient:
    """The verbs of a run, said to a Loom that may be away for a while. Safe for threads.

    Messages and events are told in the order in which they were said, through the spool while Loom is away; each may
    arrive twice, which Loom does not mind. Questions are answered with nothing known meanwhile: work may be done again
    then, but nothing is lost, and nothing is taken for gone. All other verbs are Loom's own.

    What waited and is refused for good is set aside, with a word to `note`. `grace_s`: a Loom that is away for longer
    is not worth waiting for.
    """

    def __init__(self, loom: Loom, spool: Spool, note: Callable[[str], None], grace_s: float) -> None:
        self._loom = loom
        self._spool = spool
        self._note = note
        self._grace_s = grace_s
        self._lock = threading.Lock()
        self._name = uuid4()
        self._events_said = 0
        self._away_since: float | None = None
        self._away_until = 0.0

    def open_run(self, opening: RunOpening) -> None:
        self._say(Told(opening=opening))

    def finish_run(self, closing: RunClosing) -> None:
        self._say(Told(closing=closing))

    def put_artifacts(self, artifacts: Sequence[NewArtifact]) -> None:
        self._say(Told(artifacts=list(artifacts)))

    def report(self, run: UUID, batch: Sequence[AssetReport], *, worker: str | None = None) -> None:
        self._say(Told(run=run, reports=list(batch), worker=worker))

    def intend(
        self, run: UUID, ahead: Sequence[Action], dropped: Sequence[UUID] = (), *, worker: str | None = None
    ) -> None:
        self._say(Told(run=run, ahead=list(ahead), dropped=list(dropped), worker=worker))

    def known_files(self, host: str, directories: Sequence[bytes], plan: bytes) -> list[list[KnownFile]]:
        return self._ask(lambda: self._loom.known_files(host, directories, plan), [[] for _ in directories])

    def known_directories(self, host: str, root: bytes) -> list[bytes]:
        return self._ask(lambda: self._loom.known_directories(host, root), [])

    def known_sizes(self, sizes: Sequence[int]) -> set[int]:
        return self._ask(lambda: self._loom.known_sizes(sizes), set(sizes))

    def known_places(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> list[bool]:
        return self._ask(lambda: self._loom.known_places(host, files), [False for _ in files])

    def mark_missing(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> int:
        return self._ask(lambda: self._loom.mark_missing(host, files), 0)

    def mark_present(self, host: str, files: Sequence[tuple[bytes, bytes]], device: int) -> int:
        return self._ask(lambda: self._loom.mark_present(host, files, device), 0)

    def mark_unreachable(self, host: str, root: bytes, device: int | None = None) -> int:
        return self._ask(lambda: self._loom.mark_unreachable(host, root, device), 0)

    def lookup(
        self,
        assets: Sequence[bytes],
        signatures: Sequence[bytes],
        runs: Sequence[UUID] = (),
        taker: Taker | None = None,
    ) -> list[KnownAsset]:
        nothing = [KnownAsset(False) for _ in assets]
        return self._ask(lambda: self._loom.lookup(assets, signatures, runs, taker), nothing)

    def keep_in_hand(self, taker: Taker, assets: Sequence[bytes]) -> None:
        self._ask(lambda: self._loom.keep_in_hand(taker, assets), None)

    def publish(self, run: RunHead, events: Sequence[Event], *, said: Said | None = None) -> None:
        with self._lock:  # in the order of their numbers
            self._events_said += 1
            self._say_now(told_events(run, list(events), said or Said(self._name, self._events_said)))

    def progress(self, run: RunHead, progress: Progress) -> None:
        self._ask(lambda: self._loom.progress(run, progress), None)

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._loom, verb)

    def acknowledged(self) -> bool:
        """Whether Loom has stored all that it was told until now. Raises `LOOM_UNREACHABLE` when it is away for longer
        than the grace, and what it refused."""
        with self._lock:
            if not self._spool.only_events and time.monotonic() >= self._away_until:
                with self._noting():
                    self._flush()
            if self._spool.only_events:
                return True
            if self._away_since is None or time.monotonic() < self._away_since + self._grace_s:
                return False
        raise LoomError("LOOM_UNREACHABLE", "Loom is away; what comes before this node waits for it on this machine")

    def flush(self) -> None:
        """Sends all that waits. Raises `LOOM_UNREACHABLE` when Loom still is, and the first refusal once all the rest
        was sent."""
        with self._lock:
            self._flush()

    def wait_and_flush(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """As `flush`, trying again for as long as the grace lasts."""
        end = time.monotonic() + self._grace_s
        try:
            while True:
                try:
                    return self.flush()
                except LoomError as error:
                    if error.code != "LOOM_UNREACHABLE" or time.monotonic() >= end:
                        raise
                sleep(min(REST_S, self._grace_s))
        finally:
            if self._spool.lost_events:
                self._note(
                    f"Loom was away for so long that {self._spool.lost_events:,} events were given up: whoever listens "
                    "to it does not get them. No results are lost."
                )

    def _say(self, told: Told) -> None:
        with self._lock:
            self._say_now(told)

    def _say_now(self, told: Told) -> None:
        if time.monotonic() >= self._away_until:
            with self._noting():
                self._flush()
                self._tell(told)
                return
        self._spool.put(told)

    def _ask(self, question: Callable[[], T], unknown: T) -> T:
        if time.monotonic() >= self._away_until:
            with self._noting():
                return question()
        return unknown

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        """Makes a note of a Loom that cannot be reached; other errors are raised."""
        try:
            yield
        except LoomError as error:
            if error.code != "LOOM_UNREACHABLE":
                raise
            now = time.monotonic()
            self._away_since = self._away_since or now
            self._away_until = now + REST_S
        else:
            self._away_since = None

    def _flush(self) -> None:
        for refusal in self._send():
            raise refusal

    def _send(self) -> list[LoomError]:
        refusals = self._spool.send(self._tell)
        if refusals:
            self._note(_refused(refusals, self._spool.set_aside))
        return refusals

    def _tell(self, told: Told) -> None:
        if told.opening is not None:
            self._loom.open_run(told.opening)
        if told.closing is not None:
            self._loom.finish_run(told.closing)
        if told.artifacts is not None:
            self._loom.put_artifacts(told.artifacts)
        if told.run is not None and told.reports is not None:
            self._loom.report(told.run, told.reports, worker=told.worker)
        if told.run is not None and told.ahead is not None:
            self._loom.intend(told.run, told.ahead, told.dropped or (), worker=told.worker)
        if told.head is not None:
            self._loom.publish(told.head, events_of(told), said=told.said)


def room_for(meta_path: Path, url: str) -> Path:
    """Where the spools lie for the server at `url`."""
    return meta_path / SPOOL / hashlib.sha256(url.encode()).hexdigest()[:16]


@contextlib.contextmanager
def patience_with(
    loom: Loom, room: Path, limit_bytes: int, note: Callable[[str], None], grace_s: float
) -> Iterator[Patient]:
    """A `Patient` with a spool below `room`. What former processes left behind there is sent first; what Loom refuses
    of it is set aside. Raises `LOOM_UNREACHABLE` when there is something to send that cannot be."""
    for spool in left_behind(room, limit_bytes):
        with contextlib.closing(spool):
            Patient(loom, spool, note, grace_s)._send()
    with contextlib.closing(new_spool(room, limit_bytes)) as spool:
        yield Patient(loom, spool, note, grace_s)


def _refused(refusals: Sequence[LoomError], folder: Path) -> str:
    codes = Counter(error.code for error in refusals)
    counted = ", ".join(f"{code} ({count:,})" for code, count in codes.items())
    return (
        f"Loom refused {len(refusals):,} messages that had waited for it: {counted}; the first because: "
        f"{refusals[0].message} They are set aside in {folder}"
    )
