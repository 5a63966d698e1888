"""What steers runs: what a run was asked to do, who pauses it, and what its worker is told of it."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import msgspec

from loom.model import Depth, Kind, Pause

__all__ = ["EVERY_FAILURE", "LEASE_S", "AssetQuery", "Depth", "Pause", "Place", "RunOrders", "RunRequest", "Selection"]

LEASE_S = 30.0
"""For how long a claim lasts after its worker was last heard of."""


class AssetQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Assets by what is known of them, as `GET /assets` takes it."""

    kind: Kind | None = None
    path: str | None = None
    q: str | None = None
    collection: str | None = None
    camera: str | None = None
    year: int | None = None


class Selection(NamedTuple):
    """Which failed results are meant; None means any. `since` and `until` (microseconds since 1970, the latter left
    out) are about when they failed. Those that are set aside are meant only with `aside`; to retry or forget them it is
    enough to name their `asset`."""

    run: UUID | None = None
    node: str | None = None
    code: str | None = None
    asset: UUID | None = None
    since: int | None = None
    until: int | None = None
    aside: bool = False


EVERY_FAILURE = Selection()


class Place(NamedTuple):
    """A file to be visited again: the pipeline that failed on it, its version, and where it lies."""

    pipeline: str
    host: str
    path: bytes
    version: int = 0


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A run that a worker is to execute: over files and folders, globs, assets, or a query, on the worker's own host
    or on `host`. `recompute` names nodes, or has `*`. `walked`: another worker had begun it."""

    uuid: UUID
    pipeline: str
    version: int
    queued: int
    paths: tuple[bytes, ...] = ()
    globs: tuple[str, ...] = ()
    assets: tuple[UUID, ...] = ()
    query: AssetQuery | None = None
    host: str | None = None
    dry_run: bool = False
    recompute: frozenset[str] = frozenset()
    walked: bool = False


class RunOrders(msgspec.Struct, frozen=True, kw_only=True):
    """What Loom tells the worker of a run. `lost`: the run was given to another worker."""

    run: UUID
    cancelled: bool = False
    lost: bool = False
    pauses: tuple[Pause, ...] = ()

    @property
    def pause(self) -> Pause | None:
        """The deepest pause, the oldest of several."""
        return min(self.pauses, key=lambda pause: (-pause.depth, pause.since), default=None)
