"""What goes into the sandbox: files from the source, one number each, and answers to what the workers ask."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from cortex.engine.begun import Begun
from cortex.engine.costs import Amount, kind_of
from cortex.engine.elsewhere import Elsewhere
from cortex.engine.entry import Entry
from cortex.engine.pace import Pace
from cortex.engine.records import Answer, Identity, Item, Lane, Walked
from cortex.engine.usable import Stored, Usable
from cortex.sources.scan import Found
from loom.errors import LoomError
from loom.graph.plan import Step

KEPT_BYTES = 64 * 1024 * 1024
"""Files up to this size are read once into memory, so it does not matter whether their size is known."""

_CHANGED = LoomError("CHANGED_WHILE_READ").message

AHEAD = 2000
"""How many found files may wait to be taken."""

_LOOK_S = 0.05
"""How often a scan that waits for room looks whether it is to stop."""


class Intake:
    """Feeds the sandbox and remembers every file until it is settled.

    `items` yields None when there is nothing to hand out at the moment. Two files of the same content are never in
    hand at once: the second waits for the first as one of its `copies`. A file that a lane is for does not wait for one
    that none is for, though: lanes may match paths. What another run has in hand waits for that.
    """

    def __init__(
        self,
        lanes: tuple[Lane, ...],
        stored: Stored,
        *,
        max_in_flight: int,
        is_anew: Callable[[Step], bool] = lambda _: False,
        on_copy: Callable[[Entry], None],
        remember: bool = False,
        pace: Pace | None = None,
    ) -> None:
        """`is_anew`: no stored result of the step is used. `remember`: the run leaves no record of what it walked, so
        that is remembered here."""
        self._stored = stored
        self._max_in_flight = max_in_flight
        self._on_copy = on_copy
        self._pace = pace or Pace(0)
        self._walked: set[bytes] | None = set() if remember else None
        self._signatures = [{s.index: s.signature for s in lane.plan.steps if not is_anew(s)} for lane in lanes]
        self._all_signatures = sorted({digest for steps in self._signatures for digest in steps.values()})
        self._ahead: deque[Found | None] = deque()
        self._entries: dict[int, Entry] = {}
        self._in_hand: dict[bytes, Entry] = {}
        self._lock = threading.Lock()
        self._next_token = 0
        self._begun: dict[tuple[int, bytes], Begun] = {}
        self._heirs: deque[Item] = deque()
        self.elsewhere = Elsewhere()
        self._exhausted = False
        self.stopped = False
        self.aborted = False
        self.paused = False
        """While it is, no new files are begun with."""
        self.error: BaseException | None = None
        self.found = Amount()

    def scan(self, source: Iterator[Found], wake: Callable[[], None]) -> None:
        """Runs in a thread of its own: hands found files on, as far ahead as the queue lets it, and says `wake` when
        there is something to take again."""
        try:
            for found in source:
                self.found.add(kind_of(found.name), found.stat.size)
                if not self._offer(found, wake):
                    break
            else:
                self.found.is_all = True
        except BaseException as error:
            self.error = error
        finally:
            self._offer(None, wake)

    def _offer(self, found: Found | None, wake: Callable[[], None]) -> bool:
        """Waits for room; false when nothing is taken any more. There is one who gives and one who takes, so that no
        lock is needed, which would have cost more than all else that is done with a file here."""
        while not self.stopped:
            if len(self._ahead) < AHEAD:
                self._ahead.append(found)
                if len(self._ahead) == 1:
                    wake()
                return True
            time.sleep(_LOOK_S)
        return False

    def stop(self) -> None:
        """No new files from now on. As `abort`, it takes no lock: it may be called from a signal handler."""
        self.stopped = True

    def abort(self) -> None:
        """No new files, and no waiting for those in hand."""
        self.stopped = self.aborted = True

    def items(self) -> Iterator[Item | None]:
        """Ends when the source is exhausted and every file was released."""
        while True:
            with self._lock:
                again = self._put_off_until_now()
                in_flight = len(self._entries)
            if self.aborted:
                return
            if again is not None:
                yield again
            elif self._heirs:
                yield self._heirs.popleft()
            elif self.stopped or self._exhausted:
                if not in_flight:
                    return
                yield None
            elif self.paused or self._pace.waits or in_flight >= self._max_in_flight or (found := self._take()) is None:
                yield None
            else:
                yield self._begin(found)

    def _take(self) -> Found | None:
        if not self._ahead:
            return None
        found = self._ahead.popleft()
        self._exhausted = found is None
        return found

    def _begin(self, found: Found) -> Item:
        self._pace.begin(found.stat.size)
        with self._lock:
            self._next_token += 1
            entry = self._entries[self._next_token] = Entry(self._next_token, found, time.time_ns())
        size = found.stat.size
        return entry.item(size <= KEPT_BYTES or bool(self._stored.known_sizes([size])))

    def answer(self, identities: Sequence[Identity]) -> list[Answer]:
        """Answers workers that have read files: walk on, with these stored results, or leave it."""
        walk: list[Identity] = []
        answers: list[Answer] = []
        for identity in identities:
            entry = self._entries[identity.token]
            with self._lock:
                if entry.identity is not None and entry.identity.asset != identity.asset:
                    self._heirs.extend(self._pass_on(entry, ("CHANGED_WHILE_READ", _CHANGED)))
                    entry.begin_anew()
                entry.identity = identity
                owner = self._in_hand.setdefault(identity.asset, entry)
                if owner is not entry and owner.is_for_no_lane and not entry.is_for_no_lane:
                    entry.copies, owner.copies = owner.copies, []
                    owner = self._in_hand[identity.asset] = entry
                elif owner is not entry:
                    owner.copies.append(entry)
                if owner is entry and (begun := self._begun.pop((identity.lane, identity.asset), None)) is not None:
                    entry.announced |= begun.steps
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
        walked = usable.walked or (self._walked is not None and identity.asset in self._walked)
        if walked and not entry.walking:
            entry.known = True
            self._on_copy(entry)
            return Answer(identity.token, walk=False)
        entry.known = usable.known
        if identity.lane < 0:
            return Answer(identity.token, walk=True)
        steps = self._signatures[identity.lane]
        if usable.elsewhere and not entry.walking and not usable.results.keys() >= set(steps.values()):
            with self._lock:
                self.elsewhere.put_off(entry)
            return Answer(identity.token, walk=False)
        entry.walking = True
        if self._walked is not None:
            self._walked.add(identity.asset)
        if not (usable.results or usable.uploads):
            return Answer(identity.token, walk=True)
        mine = set(steps.values())
        entry.uploads = tuple(result for result in usable.uploads if result.signature in mine)
        stored = [(index, *usable.results[digest]) for index, digest in steps.items() if digest in usable.results]
        return Answer(identity.token, walk=True, stored=tuple(stored))

    def _put_off_until_now(self) -> Item | None:
        """A file about which it is time to ask again. Once nothing new is begun with, those that wait are let go."""
        if self.stopped:
            for entry in self.elsewhere.all():
                self._let_go(entry)
            return None
        again = self.elsewhere.next()
        if again is None or again.identity is None:
            return None
        return again.item(size_known=True)._replace(asset=again.identity.asset)

    def _let_go(self, entry: Entry) -> None:
        if entry.identity is not None:
            self._in_hand.pop(entry.identity.asset, None)
        for one in (entry, *entry.copies):
            self._forget(one)

    def _forget(self, entry: Entry) -> None:
        self._entries.pop(entry.token, None)
        entry.let_go()

    def in_hand(self) -> list[bytes]:
        """The assets that are being walked and not stored yet, or wait for another run."""
        with self._lock:
            return list(self._in_hand)

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
            handed=entry.handed,
        )

    def release(self, entry: Entry) -> list[Entry]:
        """The file is settled; returns the copies of its content that waited for it, to be settled next."""
        with self._lock:
            self._forget(entry)
            if entry.identity is None or self._in_hand.get(entry.identity.asset) is not entry:
                return []
            del self._in_hand[entry.identity.asset]
            return entry.copies

    def give_up(self, entry: Entry, why: tuple[str, str]) -> list[Item]:
        """The file could not be walked after all; if copies of it wait, the first takes its place: its item. `why` is
        a code and a sentence."""
        with self._lock:
            self._forget(entry)
            return self._pass_on(entry, why)

    def again(self, entry: Entry, why: tuple[str, str]) -> list[Item]:
        """The same file once more, its content unknown now; if copies wait, the first of them goes on by itself."""
        entry.attempts += 1
        with self._lock:
            heir = self._pass_on(entry, why)
            entry.begin_anew()
        return [entry.item(size_known=True)._replace(asset=None), *heir]

    def begun(self) -> dict[tuple[int, bytes], Begun]:
        """By lane and asset, what was begun, as the bus was told, and that nobody went on with until now."""
        with self._lock:
            return self._begun

    def _pass_on(self, entry: Entry, why: tuple[str, str]) -> list[Item]:
        if entry.identity is None:
            return []
        asset = entry.identity.asset
        if entry.announced:
            key = (entry.identity.lane, asset)
            self._begun.setdefault(key, Begun(set(), why)).steps.update(entry.announced)
            entry.announced = set()
        if self._in_hand.get(asset) is not entry:
            return []
        del self._in_hand[asset]
        if self._walked is not None:
            self._walked.discard(asset)
        if not entry.copies:
            return []
        heir, *heir.copies = sorted(entry.copies, key=lambda copy: copy.is_for_no_lane)
        entry.copies = []
        self._in_hand[asset] = heir
        return [heir.item(size_known=True)]


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
