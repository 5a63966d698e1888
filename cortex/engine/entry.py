"""One file of a run, from when it is handed out until it is settled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from cortex.engine.records import Handed, Identity, Item
from cortex.sources.found import Found
from loom.model import Action, StoredResult

if TYPE_CHECKING:
    from cortex.engine.course import Tries


@dataclass
class Entry:
    """One file on its way through the run. `since` is when it was handed out, in nanoseconds since 1970, which is
    before it was read. `announced` are the steps that were told to the bus as STARTED for its content; `kept` is how
    many of the computed results are stored already; `told` is set once the events of its end are. `tries` are the
    attempts at a step beside the sandbox that is to be tried again; `turn` are the names for which it has its turn.
    `bytes_read` is how much workers have read of it to walk it, more than it has if they read it again.
    `is_known_place`: Loom remembers a file at its path; None until it is about to be told of this one. `put_off`: so
    often its content was found in the hands of another run. `handed` are stored derived files that its next step has
    asked for. `actions` is what its steps did to files, `intended` what the one at work is about to do."""

    token: int
    found: Found
    since: int = 0
    identity: Identity | None = None
    known: bool = False
    attempts: int = 0
    announced: set[int] = field(default_factory=set)
    collections: list[str] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    intended: list[UUID] = field(default_factory=list)
    copies: list[Entry] = field(default_factory=list)
    uploads: tuple[StoredResult, ...] = ()
    kept: int = 0
    resumed: bool = False
    walking: bool = False
    told: bool = False
    tries: Tries | None = None
    turn: tuple[str, ...] = ()
    bytes_read: int = 0
    is_known_place: bool | None = None
    put_off: int = 0
    handed: tuple[Handed, ...] = ()

    @property
    def path(self) -> bytes:
        return self.found.path

    @property
    def local(self) -> bytes:
        """Where its bytes lie now; a remote file was brought here."""
        return self.path if self.found.local is None else self.found.local.path

    @property
    def size_read(self) -> int:
        """How much of the file was read, nothing counted twice; also of one that was read and not walked."""
        told = self.identity
        read, size = (0, self.found.stat.size) if told is None else (told.bytes_read, told.size)
        return min(max(read, self.bytes_read), size)

    @property
    def is_for_no_lane(self) -> bool:
        return self.identity is not None and self.identity.lane < 0

    def begin_anew(self) -> None:
        """Forgets how far the file had got, but not what was done to files meanwhile."""
        self.collections, self.uploads, self.handed = [], (), ()
        self.kept = 0
        self.tries = None
        self.resumed = self.walking = False

    def item(self, size_known: bool) -> Item:
        return Item(
            self.token,
            self.path,
            self.found.relative,
            self.found.stat if self.found.local is None else self.found.local.stat,
            asset=self.found.asset,
            size_known=size_known,
            lanes=self.found.lanes,
            local=None if self.found.local is None else self.found.local.path,
        )

    def let_go(self) -> None:
        """Its bytes are not needed any more."""
        if self.found.local is not None:
            self.found.local.release()
