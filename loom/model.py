"""The nouns of the product as frozen values.

An asset is known by the BLAKE3-256 of its bytes (`bytes`, 32 long); a signature is a 32-byte digest. Both appear as
raw bytes inside the product and as hexadecimal or UUID text only at its edge. Times are whole microseconds since 1970
(UTC), durations whole microseconds, unless a name says otherwise.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from loom.problems import Problem as Problem
from loom.spending import Spent as Spent
from loom.words import Branch as Branch
from loom.words import Colour as Colour
from loom.words import Kind as Kind
from loom.words import LocationState as LocationState
from loom.words import Origin as Origin
from loom.words import Reason as Reason
from loom.words import RunState as RunState
from loom.words import State as State
from loom.words import Word as Word


def asset_uuid(blake3: bytes) -> UUID:
    """The UUIDv8 of an asset: the first 16 bytes of its BLAKE3-256, with version and variant bits set (RFC 9562)."""
    value = int.from_bytes(blake3[:16], "big")
    value = value & ~(0xF << 76) | (8 << 76)
    value = value & ~(0x3 << 62) | (2 << 62)
    return UUID(int=value)


class FileStat(NamedTuple):
    """What `stat` said of a file; two equal ones (ctime left out) mean that the file was not written to."""

    size: int
    mtime_ns: int
    inode: int
    device: int


class KnownFile(NamedTuple):
    """One file of a directory as Loom remembers it. `settled`: nothing is left to do for it under the plan asked for
    as long as its stat is the same. `present`: not known to be gone; gone or out of reach it is not settled.
    `asset` is the BLAKE3 of its content, given only when it is not settled and its stat can be trusted (it was not
    written just before it was read); a file with an untrusted stat is never settled. `device` is where it lay when it
    was last read; devices may have other numbers since. `failed`: it is settled, and some node had failed on it.
    `away`: it is out of reach, and settled but for that; `failed` holds then, too."""

    name: bytes
    size: int
    mtime_ns: int
    inode: int
    device: int
    present: bool
    settled: bool
    asset: bytes | None = None
    failed: bool = False
    away: bool = False


class ArtifactRef(NamedTuple):
    """A derived file that a result names: stored once, under the BLAKE3-256 of its bytes."""

    name: str
    digest: bytes
    media_type: str
    size: int


class StoredResult(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A result as stored. `outputs` is a JSON object in UTF-8 (`b"{}"` when empty)."""

    signature: bytes
    state: State
    verdict: Branch | None
    outputs: bytes
    artifacts: tuple[ArtifactRef, ...] = ()
    error_code: str | None = None
    error_message: str | None = None
    duration_us: int = 0


class KnownAsset(NamedTuple):
    """What Loom knows of one asset that was asked for: whether it exists at all, its stored results, whether the
    run in question has already walked it, and whether another one has it in hand."""

    known: bool
    results: tuple[StoredResult, ...] = ()
    walked: bool = False
    elsewhere: bool = False


class FoundAt(NamedTuple):
    """Where an asset's bytes were found. `trusted` is false when the file was modified less than two seconds before it
    was read, so that a later write may have left the same stat."""

    directory: bytes
    name: bytes
    stat: FileStat
    trusted: bool


ActionKind = Literal["moved", "copied", "wrote", "removed"]


class Action(NamedTuple):
    """Something done to files: one was `moved` or `copied` from `origin` to `target`, the target was written for its
    sake (`wrote`), or it was `removed` because its content lies at the target anyway. `asset` is the BLAKE3 of the file
    at the origin, `digest` and `size` are of the bytes at the target; `began` in microseconds since 1970. Whoever does
    it makes up `uuid`."""

    uuid: UUID
    kind: ActionKind
    asset: bytes
    origin: bytes
    target: bytes
    digest: bytes
    size: int
    began: int


class AssetReport(NamedTuple):
    """All that one asset's walk left to be stored, one transaction with the rest of its batch.

    `results` belong to the signatures of the run's plan. `outcomes` is `pack_outcomes(...)` or `None` when only the
    location is new. `settled`: every node has an outcome and none may be tried again; under the digest `settles` when
    that is not the run's own, as where only some pipelines may have the asset for the sake of where it lies.
    `collections` are the names of collections the asset is to be added to, `actions` what was done to files.
    """

    blake3: bytes
    size: int
    mime: str
    kind: Kind
    found: tuple[FoundAt, ...]
    results: tuple[StoredResult, ...] = ()
    outcomes: bytes | None = None
    failed: int = 0
    settled: bool = False
    collections: tuple[str, ...] = ()
    settles: bytes | None = None
    actions: tuple[Action, ...] = ()


class StepRef(NamedTuple):
    """One step of a plan as Loom needs it to store results."""

    node: str
    operator: str
    operator_version: str
    signature: bytes


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    """Who produced a result: a name for the machine and the versions of what decides it."""

    name: str
    versions: dict[str, str] = {}


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """Of a worker; in bytes. `disk_reserve` stays free, `sandbox` refuses network, writing and programs."""

    cpus: int = 0
    memory: int = 0
    gpus: int = 0
    disk_reserve: int = 0
    sandbox: Literal["kernel", "python"] | None = None


class RunOpening(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller says when it begins a run that it executes itself. The caller makes up `uuid`; saying it twice
    does nothing more. `settles` is the digest under which assets count as settled when it is not the plan's own (a
    run that chooses among several pipelines). `definition` comes with a pipeline that is not stored (`version` 0): it
    is kept for the run."""

    uuid: UUID
    pipeline: str
    version: int
    plan: bytes
    steps: tuple[StepRef, ...]
    worker: Worker
    settles: bytes | None = None
    definition: dict[str, Any] | None = None
    host: str
    started: int
    dry_run: bool = False
    paths: tuple[bytes, ...] = ()


class AssetCounts(msgspec.Struct):
    """Files, as counted under `assets` of a summary."""

    seen: int = 0
    new: int = 0
    unchanged: int = 0
    moved: int = 0
    completed: int = 0
    failed: int = 0
    failed_before: int = 0
    unreadable: int = 0
    unmatched: int = 0


class NodeCounts(msgspec.Struct):
    """Assets, as counted for one node of a run."""

    computed: int = 0
    cached: int = 0
    remote: int = 0
    skipped: int = 0
    failed: int = 0


class RunClosing(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. `worker` is who says so, which is needed for a run that was claimed. `would_write` is what a
    dry run would have written. Of `problems`, `MOST_PROBLEMS` are kept; `problems_total` counts all."""

    uuid: UUID
    state: RunState
    finished: int
    assets: AssetCounts
    nodes: dict[str, NodeCounts]
    bytes_read: int = 0
    worker: str | None = None
    would_write: dict[str, Any] | None = None
    problems: tuple[Problem, ...] = ()
    problems_total: int = 0
    spent: Spent | None = None


class Outcome(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What happened to one node for one asset in one run."""

    state: State
    reason: Reason | None = None
    origin: Origin | None = None
    verdict: Branch | None = None
    duration_us: int = 0


class Depth(IntEnum):
    """How deep a pause goes. `NEW`: no new assets, those in hand are finished. `NODE`: each asset in hand stops after
    the node that is at work. `NOW`: work in hand is dropped, and done again later."""

    NEW = 1
    NODE = 2
    NOW = 3

    @property
    def word(self) -> Literal["new", "node", "now"]:
        """As it is told outside."""
        words: tuple[Literal["new", "node", "now"], ...] = ("new", "node", "now")
        return words[self - 1]


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A run stands still as long as it has one; only the same owner lifts it. `since` in microseconds since 1970."""

    owner: str
    reason: str
    depth: Depth
    since: int
