"""The worker's side: what is known, and what was found out."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from loom.errors import LoomError
from loom.model import Action, AssetReport, KnownAsset, KnownFile, RunState
from loom.service.base import Holding, now_us
from loom.store import actions, artifacts, assets, duplicates, locations, reports, requests, results, runs, steering
from loom.store.values import RUN_STATES, RUNNING
from loom.verbs import NewArtifact, Taker


class LocalLedger(Holding):
    """See `loom.verbs.Ledger`."""

    def known_files(self, host: str, directories: Sequence[bytes], plan: bytes) -> list[list[KnownFile]]:
        with self._database.read() as connection:
            return locations.known_files(connection, host, directories, plan)

    def known_directories(self, host: str, root: bytes) -> list[bytes]:
        with self._database.read() as connection:
            return locations.known_directories(connection, host, root)

    def known_sizes(self, sizes: Sequence[int]) -> set[int]:
        with self._database.read() as connection:
            return assets.known_sizes(connection, sizes)

    def known_places(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> list[bool]:
        with self._database.read() as connection:
            return locations.known_places(connection, host, files)

    def mark_missing(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> int:
        with self._database.write() as connection:
            return locations.mark_missing(connection, host, files, now_us())

    def mark_present(self, host: str, files: Sequence[tuple[bytes, bytes]], device: int) -> int:
        with self._database.write() as connection:
            return locations.mark_present(connection, host, files, device)

    def mark_unreachable(self, host: str, root: bytes, device: int | None = None) -> int:
        with self._database.write() as connection:
            return locations.mark_unreachable(connection, host, root, device)

    def lookup(
        self,
        assets: Sequence[bytes],
        signatures: Sequence[bytes],
        runs: Sequence[UUID] = (),
        taker: Taker | None = None,
    ) -> list[KnownAsset]:
        mine = None if taker is None else self._in_hand.take(taker, assets)  # first: what is let go of is stored
        with self._database.read() as connection:
            known = results.lookup(connection, assets, signatures, runs)
        if mine is None:
            return known
        return [one if is_mine else one._replace(elsewhere=True) for one, is_mine in zip(known, mine, strict=True)]

    def keep_in_hand(self, taker: Taker, assets: Sequence[bytes]) -> None:
        self._in_hand.keep(taker, assets)

    def put_artifacts(self, artifacts: Sequence[NewArtifact]) -> None:
        if artifacts:
            self._keep(artifacts)

    def _keep(self, new: Sequence[NewArtifact]) -> None:
        with self._files.lock(alone=False):
            self._files.keep(new)
            with self._database.write() as connection:
                artifacts.remember(connection, new, now_us())

    def intend(
        self, run: UUID, ahead: Sequence[Action], dropped: Sequence[UUID] = (), *, worker: str | None = None
    ) -> None:
        """Raises as `report`."""
        with self._database.write() as connection:
            opened, revived = _for_storing(connection, run, worker, now_us())
            actions.intend(connection, run, opened.host, ahead, dropped)
        self._tell_going_on(revived)

    def report(self, run: UUID, batch: Sequence[AssetReport], *, worker: str | None = None) -> None:
        """Raises `NOT_FOUND` for a run that was not opened, `RUN_LOST` for one that another worker has,
        `REQUEST_INVALID` for one that has ended or for results that do not belong to it."""
        now = now_us()
        with self._database.write() as connection:
            opened, revived = _for_storing(connection, run, worker, now)
            touched = reports.store(connection, opened, batch, now)
            groups = duplicates.events_of(connection, touched, now)
            deeds = [action for one in batch for action in one.actions]
            done = actions.add(connection, run, opened.host, deeds, now)
        if opened.state == RUNNING and steering.is_silent(opened.heard, now):
            with self._database.write() as connection:  # by itself: others report for the same run at the same time
                runs.hear(connection, opened.id, now)
        self._tell_going_on(revived)
        self._tell_of_groups(groups)
        self._tell_of_actions(*done)


def _for_storing(connection: Connection, run: UUID, worker: str | None, now: int) -> tuple[runs.OpenRun, list[UUID]]:
    """The run, and itself once more where it was taken for abandoned and goes on. One that was cancelled and taken for
    abandoned does not go on, but what its caller had in hand is kept."""
    opened = runs.for_storing(connection, run)
    requests.check_claim(connection, run, worker)
    if opened.state == RUNNING or (RUN_STATES[opened.state] is RunState.CANCELLED and opened.heard is None):
        return opened, []
    revived = steering.revive(connection, [run], now)
    if not revived:
        raise LoomError("REQUEST_INVALID", f"The run {run} has ended; nothing more can be reported for it.")
    return opened, revived
