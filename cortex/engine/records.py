"""What travels between the parent and its worker processes: plain tuples, cheap to pickle."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import msgspec

from cortex.engine.concurrency import Limited
from cortex.engine.limits import Limits
from cortex.outputs import ProducedArtifact, check_handed
from loom.graph.plan import AssetFilter, Plan
from loom.model import ArtifactRef, Branch, FileStat, Kind, Origin, Outcome, StoredResult
from loom.parts import Parts


class Lane(NamedTuple):
    """One pipeline that a run may use. An asset takes the first lane whose `match` lets it pass."""

    match: AssetFilter
    plan: Plan


class Item(NamedTuple):
    """One file to be walked. `token` is the parent's number for it. `relative` is its path below the scanned folder.
    `asset` is given when its content is known from an earlier run and its stat is the same. `size_known`: some known
    asset has this size, so the content may be known. `blamed` names the steps (or phases of `Media`) that killed a
    worker on this file: they fail without being tried. `resume`: how far it had got; `handed` are stored derived files
    that its steps have asked for since. `lanes` are those that may have it; None: all. `local`: where its bytes lie,
    if not at `path`; the stat is that of these."""

    token: int
    path: bytes
    relative: bytes
    stat: FileStat
    asset: bytes | None = None
    size_known: bool = True
    blamed: tuple[Blame, ...] = ()
    resume: Walked | None = None
    lanes: tuple[int, ...] | None = None
    handed: tuple[Handed, ...] = ()
    local: bytes | None = None


class Handed(NamedTuple):
    """The bytes of a stored derived file, or the code and sentence that tell why they are not to be had."""

    digest: bytes
    data: bytes
    error: tuple[str, str] | None = None


class Blame(NamedTuple):
    """Who killed a worker: the lane and step that were at work, or (step -1) a phase of `Media` that many steps
    share, such as `image`."""

    lane: int
    step: int
    phase: str
    code: str
    message: str


class Identity(NamedTuple):
    """What reading a file told. `lane` is the index of the lane it takes, -1 for none. `read_us`: how long it took to
    read it, `bytes_read`: how much of it."""

    token: int
    asset: bytes
    size: int
    mime: str
    kind: Kind
    lane: int
    read_us: int = 0
    bytes_read: int = 0


class Answer(NamedTuple):
    """The parent's answer to an `Identity`. `walk` false: leave it, someone else has the same content in hand.
    `stored` pairs step indices with the result that is stored for it and where it came from."""

    token: int
    walk: bool
    stored: tuple[tuple[int, StoredResult, Origin], ...] = ()


class Spilled(NamedTuple):
    """A derived file that is too large for a message: where it lies in the file that the worker's parent has opened for
    it. `file` is that file, which does not travel."""

    name: str
    media_type: str
    extents: tuple[tuple[int, int], ...]
    file: Any = None

    def read(self, most: int) -> ProducedArtifact:
        """Raises `FILE_TOO_LARGE` for more than `most` bytes, or where the file is out of reach."""
        check_handed(self.name, sum(count for _, count in self.extents), most if self.file is not None else 0)
        return ProducedArtifact(self.name, Parts(self.file, self.extents).read(), self.media_type)


class Computed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What computing one step gave, before it is stored. `started` is in microseconds since 1970. `retryable` results
    may be others the next time, so that none of them is used again."""

    step: int
    verdict: Branch | None
    outputs: bytes
    artifacts: tuple[ProducedArtifact, ...]
    error_code: str | None
    error_message: str | None
    started: int
    duration_us: int
    retryable: bool
    attempts: int = 1
    spilled: tuple[Spilled, ...] = ()


class Walked(NamedTuple):
    """How far an asset got. `outcomes` has an entry for each step that was reached so far, None for the rest;
    `outputs` the JSON that later steps may read, by step index. `failure` is set when the file itself could not be
    read: no node was walked then. `bytes_read`: how much of the file was read for all that, identity included.
    `wanted`: the next step goes on once it has these stored derived files."""

    token: int
    identity: Identity | None
    stat: FileStat | None
    trusted: bool
    outcomes: tuple[Outcome | None, ...]
    computed: tuple[Computed, ...]
    stored: tuple[tuple[int, StoredResult, Origin], ...] = ()
    failure: tuple[str, str] | None = None
    next_step: int = 0
    bytes_read: int = 0
    wanted: tuple[ArtifactRef, ...] = ()


def unread(token: int, code: str, message: str) -> Walked:
    """What comes of a file of which nothing could be told."""
    return Walked(token, None, None, False, (), (), (), (code, message))


class Setup(NamedTuple):
    """What every worker of a run is made of; travels once, when the workers' server starts. `walker` names the class
    that does the work, `preload` functions that import what workers need before the first is made, both as
    `module:name`. `log_level`: log records of operators from this level on come back to the parent. `limited`: what may
    be limited to a number of workers at a time. `scratch` is the folder in which files without names are opened for
    what is too large for a worker's memory; None: that cannot be made."""

    lanes: tuple[Lane, ...]
    dry_run: bool = False
    limits: Limits = Limits()
    walker: str = "cortex.engine.walk:Walker"
    preload: tuple[str, ...] = ("cortex.media.preload:preload",)
    log_level: int = logging.WARNING
    limited: tuple[Limited, ...] = ()
    scratch: str | None = None
