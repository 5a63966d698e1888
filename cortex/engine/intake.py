"""What goes into the sandbox: files from the source, one number each, and answers to what the workers ask."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import NamedTuple, Protocol

from cortex.engine.records import Answer, Identity, Item, Lane, Walked
from cortex.sources.scan import Found
from loom.model import Origin, StoredResult

KEPT_BYTES = 64 * 1024 * 1024
"""Files up to this size are read once into memory, so it does not matter whether their size is known."""

AHEAD = 2000
"""How many found files may wait to be taken."""


class Usable(NamedTuple):
    """What may be used for one asset instead of computing it: results by signature, and those among them that only the
    local cache has, so that Loom is to be given them."""

    known: bool
    walked: bool
    results: dict[bytes, tuple[StoredResult, Origin]]
    uploads: tuple[StoredResult, ...] = ()


class Stored(Protocol):
    """Where stored results come from."""

    def known_sizes(self, sizes: Sequence[int]) -> set[int]: ...

    def usable(self, assets: Sequence[tuple[bytes, bytes]], signatures: Sequence[bytes]) -> list[Usable]:
        """For each asset, given with the path where it was found, what is known of it."""
        ...


@dataclass
class Entry:
    """One file on its way through the run."""

    token: int
    found: Found
    identity: Identity | None = None
    known: bool = False
    attempts: int = 0
    announced: set[int] = field(default_factory=set)
    collections: list[str] = field(default_factory=list)
    copies: list[Entry] = field(default_factory=list)
    uploads: tuple[StoredResult, ...] = ()
    resumed: bool = False
    walking: bool = False

    @property
    def path(self) -> bytes:
        return os.path.join(self.found.directory, self.found.name)

    def item(self, size_known: bool) -> Item:
        return Item(
            self.token,
            self.path,
            self.found.relative,
            self.found.stat,
            asset=self.found.asset,
            size_known=size_known,
        )


class Intake:
    """Feeds the sandbox and remembers every file until it is settled.

    `items` yields None when there is nothing to hand out at the moment. Two files of the same content are never in
    hand at once: the second waits for the first as one of its `copies`.
    """

    def __init__(
        self,
        lanes: tuple[Lane, ...],
        stored: Stored,
        *,
        max_in_flight: int,
        recompute: frozenset[str] = frozenset(),
        on_copy: Callable[[Entry], None],
        remember: bool = False,
    ) -> None:
        """`remember`: the run leaves no record of what it walked, so that is remembered here."""
        self._stored = stored
        self._max_in_flight = max_in_flight
        self._on_copy = on_copy
        self._walked: set[bytes] | None = set() if remember else None
        self._signatures = [
            [(s.index, s.signature) for s in lane.plan.steps if "*" not in recompute and s.node not in recompute]
            for lane in lanes
        ]
        self._all_signatures = sorted({digest for pairs in self._signatures for _, digest in pairs})
        self._queue: Queue[Found | None] = Queue(AHEAD)
        self._entries: dict[int, Entry] = {}
        self._in_hand: dict[bytes, Entry] = {}
        self._lock = threading.Lock()
        self._next_token = 0
        self._exhausted = False
        self._stopped = threading.Event()
        self._aborted = False
        self.error: BaseException | None = None

    def scan(self, source: Iterator[Found]) -> None:
        """Runs in a thread of its own: hands found files on, as far ahead as the queue lets it."""
        try:
            for found in source:
                if self._stopped.is_set():
                    break
                self._queue.put(found)
        except BaseException as error:
            self.error = error
        finally:
            self._queue.put(None)

    def stop(self) -> None:
        """No new files from now on."""
        self._stopped.set()

    def abort(self) -> None:
        """No new files, and no waiting for those in hand."""
        self._stopped.set()
        self._aborted = True

    def items(self) -> Iterator[Item | None]:
        """Ends when the source is exhausted and every file was released."""
        while True:
            with self._lock:
                in_flight = len(self._entries)
            if self._stopped.is_set() or self._exhausted:
                self._drain()
                if not in_flight or self._aborted:
                    return
                yield None
            elif in_flight >= self._max_in_flight or (found := self._take()) is None:
                yield None
            else:
                yield self._begin(found)

    def _take(self) -> Found | None:
        try:
            found = self._queue.get_nowait()
        except Empty:
            return None
        self._exhausted = found is None
        return found

    def _drain(self) -> None:
        """Lets a scan that waits for room in the queue see that it is to stop."""
        while not self._queue.empty():
            self._take()

    def _begin(self, found: Found) -> Item:
        with self._lock:
            self._next_token += 1
            entry = self._entries[self._next_token] = Entry(self._next_token, found)
        return entry.item(self._is_size_known(found))

    def _is_size_known(self, found: Found) -> bool:
        size = found.stat.size
        return size <= KEPT_BYTES or bool(self._stored.known_sizes([size]))

    def answer(self, identities: Sequence[Identity]) -> list[Answer]:
        """Answers workers that have read files: walk on, with these stored results, or leave it."""
        walk: list[Identity] = []
        answers: list[Answer] = []
        for identity in identities:
            entry = self._entries[identity.token]
            entry.identity = identity
            with self._lock:
                owner = self._in_hand.setdefault(identity.asset, entry)
                if owner is not entry:
                    owner.copies.append(entry)
            if owner is entry and entry.resumed:
                answers.append(Answer(identity.token, walk=True))
            elif owner is entry:
                walk.append(identity)
            else:
                answers.append(Answer(identity.token, walk=False))
        if walk:
            places = [(identity.asset, self._entries[identity.token].path) for identity in walk]
            found = self._stored.usable(places, self._all_signatures)
            answers.extend(self._answer(identity, usable) for identity, usable in zip(walk, found, strict=True))
        return answers

    def _answer(self, identity: Identity, usable: Usable) -> Answer:
        entry = self._entries[identity.token]
        entry.known, entry.uploads = usable.known, usable.uploads
        walked = usable.walked or (self._walked is not None and identity.asset in self._walked)
        if walked and not entry.walking:
            self._on_copy(entry)
            return Answer(identity.token, walk=False)
        entry.walking = True
        if self._walked is not None:
            self._walked.add(identity.asset)
        if identity.lane < 0:
            return Answer(identity.token, walk=True)
        pairs = self._signatures[identity.lane]
        return Answer(
            identity.token,
            walk=True,
            stored=tuple((index, *usable.results[digest]) for index, digest in pairs if digest in usable.results),
        )

    def entry(self, token: int) -> Entry:
        return self._entries[token]

    def find(self, token: int) -> Entry | None:
        return self._entries.get(token)

    def resume(self, entry: Entry, walked: Walked) -> Item:
        """The item of a file whose next step is for the sandbox again; its content is known by now."""
        entry.resumed = True
        item = entry.item(size_known=True)
        return item._replace(
            asset=entry.identity.asset if entry.identity else None,
            stat=walked.stat or item.stat,
            resume=walked,
        )

    def release(self, entry: Entry) -> list[Entry]:
        """The file is settled; returns the copies of its content that waited for it, to be settled next."""
        with self._lock:
            self._entries.pop(entry.token, None)
            if entry.identity is None or self._in_hand.get(entry.identity.asset) is not entry:
                return []
            del self._in_hand[entry.identity.asset]
            return entry.copies

    def give_up(self, entry: Entry) -> list[Item]:
        """The file could not be walked after all; if copies of it wait, the first takes its place: its item."""
        with self._lock:
            self._entries.pop(entry.token, None)
            return self._pass_on(entry)

    def again(self, entry: Entry) -> list[Item]:
        """The same file once more, its content unknown now; if copies wait, the first of them goes on by itself."""
        entry.attempts += 1
        with self._lock:
            heir = self._pass_on(entry)
        return [entry.item(size_known=True)._replace(asset=None), *heir]

    def _pass_on(self, entry: Entry) -> list[Item]:
        asset = entry.identity.asset if entry.identity else None
        if asset is not None and self._walked is not None:
            self._walked.discard(asset)
        if asset is None or self._in_hand.get(asset) is not entry:
            return []
        del self._in_hand[asset]
        if not entry.copies:
            return []
        heir, *heir.copies = entry.copies
        entry.copies = []
        self._in_hand[asset] = heir
        return [heir.item(size_known=True)]


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
