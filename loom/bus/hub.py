"""The hub: events in from any thread, out to any number of listeners, each with a cursor of its own into the log."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self
from uuid import UUID

from loom.bus.encoding import gap_json, hello_json
from loom.bus.filter import EVERYTHING, Filter
from loom.bus.kept import KeptEvents
from loom.bus.live import Live, LiveRuns
from loom.bus.log import CAPACITY, Log, Numbered, Read
from loom.bus.sequence import MemorySequence, SequenceStore
from loom.events import Event, NodeEvent, Progress, RunHead

if TYPE_CHECKING:
    import asyncio

    from loom.verbs import Said

TAKE_BYTES = 64 * 1024
_MOST_PIECES = 32
_LOOKED_BACK = 50_000
"""Of so many of the newest events it is told what began in them and has not ended."""


class Piece:
    """Frames that follow each other, shared by all who want the same. `upto` is the number up to which the log was
    read for them; `at_end`: there was nothing after it."""

    __slots__ = ("_rendered", "at_end", "frames", "upto")

    def __init__(self, frames: tuple[bytes, ...], upto: int, *, at_end: bool = True) -> None:
        self.frames = frames
        self.upto = upto
        self.at_end = at_end
        self._rendered: dict[Callable[[Sequence[bytes]], bytes], bytes] = {}

    def rendered(self, render: Callable[[Sequence[bytes]], bytes]) -> bytes:
        """The frames in another form, made once."""
        made = self._rendered.get(render)
        if made is None:
            made = self._rendered[render] = render(self.frames)
        return made


class Hub:
    """Satisfies `loom.verbs.Bus`. May be used by many threads and event loops. Nothing waits for a listener: what
    falls out of the log before a listener took it is a `gap` for that listener."""

    def __init__(
        self, sequence: SequenceStore | None = None, *, capacity: int = CAPACITY, kept: KeptEvents | None = None
    ) -> None:
        """`kept`: where events are kept for who listens to the next process, if anybody has listened to this one."""
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._sleepers = 0
        self._bells: dict[asyncio.AbstractEventLoop, asyncio.Event] = {}
        self._log = Log(sequence or MemorySequence(), capacity)
        self._kept = kept
        self._recalling = threading.Lock()
        self._was_heard = False
        self._live = LiveRuns()
        self._pieces: OrderedDict[tuple[Filter, int, int], Piece] = OrderedDict()
        self._listeners = 0
        self.closed = False

    @property
    def seq(self) -> int:
        """The number of the newest event; 0 when there never was one."""
        return self._log.last

    @property
    def listeners(self) -> int:
        return self._listeners

    def publish(self, run: RunHead, events: Sequence[Event], *, said: Said | None = None) -> None:
        """Raises what the sequence store raises when new numbers cannot be reserved; nothing is published then."""
        with self._lock:
            self._log.append(run, events)
            self._live.hear(run, events)
            self._ring()

    def publish_all(self, batches: Iterable[tuple[RunHead, Sequence[Event]]]) -> int:
        """All or, if new numbers cannot be reserved, nothing; returns the number of the last event."""
        batches = list(batches)
        with self._lock:
            self._log.reserve(sum(len(events) for _, events in batches))
            for run, events in batches:
                self._log.append(run, events)
                self._live.hear(run, events)
            if batches:
                self._ring()
            return self._log.last

    def progress(self, run: RunHead, progress: Progress) -> None:
        with self._lock:
            if self._live.tell(run, progress):
                self._ring()

    def live(self) -> list[Live]:
        """The runs that go on now."""
        with self._lock:
            return self._live.all()

    def look_back(self, wanted: Filter, limit: int, before: int | None = None) -> Read:
        """The newest events that are wanted and can still be had, the newest first, at most `limit`; before number
        `before`, if one is given. `upto` is the number down to which the log was looked through."""
        frames: list[bytes] = []
        upto = self._log.last + 1 if before is None else before
        while len(frames) < limit:
            with self._lock:  # let go of in between: who publishes does not wait for the whole log
                if upto <= self._log.first:
                    break
                found = self._log.look_back(upto, wanted, limit - len(frames))
            frames += found.frames
            upto = found.upto
        return Read(tuple(frames), upto)

    def at_work(self, run: UUID) -> tuple[int, list[NodeEvent]]:
        """The number of the newest event, and what had begun in a run and not ended then, as far as its newest events
        tell."""
        with self._lock:
            last = self._log.last
        ended: set[tuple[str, bytes]] = set()
        begun: list[NodeEvent] = []
        upto = last + 1
        while upto > last - _LOOKED_BACK:
            with self._lock:
                if upto <= self._log.first:
                    break
                events, upto = self._log.before(upto, run)
            for event in events:
                if type(event) is NodeEvent and (event.node, event.asset) not in ended:
                    ended.add((event.node, event.asset))
                    if event.status == "STARTED":
                        begun.append(event)
        return last, begun

    def subscribe(self, wanted: Filter = EVERYTHING, after: int | None = None) -> Subscription:
        """Listens from event number `after` on, or to what comes from now on. A number that was never given out (by
        this Loom) stands for the beginning."""
        if not self._was_heard:
            self._recall()
        with self._lock:
            self._listeners += 1
            last = self._log.last
            cursor = last if after is None else after if 0 <= after <= last else 0
            return Subscription(self, wanted, cursor, last)

    def close(self) -> None:
        """Remembers the number reached, and wakes all listeners for the last time."""
        with self._lock:
            self.closed = True
            self._ring()
            self._log.close()
        if self._kept is not None:
            self._kept.close()

    def _recall(self) -> None:
        """What former processes have kept is looked at when somebody listens for the first time; from then on events
        are kept for those who listen to the next one."""
        with self._recalling:
            if self._was_heard or self._kept is None:
                return
            former = self._kept.load()
            with self._lock:
                began = self._log.first - 1
                self._log.prepend(former)
            self._kept.follow(self._newer, began)
            self._was_heard = True

    def _newer(self, after: int) -> list[Numbered]:
        with self._lock:
            return self._log.after(after)

    def _ring(self) -> None:
        if self._sleepers:
            self._news.notify_all()
        if self._bells:
            bells, self._bells = self._bells, {}
            for loop, bell in bells.items():
                if not loop.is_closed():
                    loop.call_soon_threadsafe(bell.set)

    def _piece(self, wanted: Filter, after: int, limit: int) -> Piece:
        key = (wanted, after, limit)
        piece = self._pieces.get(key)
        if piece is None or (piece.at_end and piece.upto != self._log.last):
            frames, upto = self._log.read(after, wanted, limit)
            piece = self._pieces[key] = Piece(frames, upto, at_end=upto == self._log.last)
            if len(self._pieces) > _MOST_PIECES:
                self._pieces.popitem(last=False)
        return piece


class Subscription:
    """One listener. Use it as a context manager, in one thread or one event loop."""

    def __init__(self, hub: Hub, wanted: Filter, cursor: int, last: int) -> None:
        self._hub = hub
        self._wanted = wanted
        self._cursor = cursor
        self._stamp = 0
        self._open = True
        self.behind = False
        """Whether the last `take` left something that was there already."""
        self.hello = hello_json(last)
        """The first frame."""

    @property
    def cursor(self) -> int:
        """The number up to which events were taken."""
        return self._cursor

    def fallen_behind(self) -> bool:
        """Whether events were lost that this listener has not taken."""
        return self._cursor + 1 < self._hub._log.first

    def take(self, limit_bytes: int = TAKE_BYTES) -> list[Piece]:
        """What is new, in order: a `gap` if there is one, about `limit_bytes` of events, progress. Never waits; empty
        when there is nothing new that is wanted."""
        hub = self._hub
        with hub._lock:
            pieces = []
            following = hub._log.following(self._cursor)
            if self._cursor + 1 < following:
                pieces.append(Piece((gap_json(self._cursor + 1, following - 1),), following - 1))
                self._cursor = following - 1
            piece = hub._piece(self._wanted, self._cursor, limit_bytes)
            self._cursor = piece.upto
            self.behind = not piece.at_end
            if piece.frames:
                pieces.append(piece)
            if self._stamp < hub._live.stamp:
                pieces.extend(self._progress(piece.upto))
        return pieces

    @property
    def has_news(self) -> bool:
        """Whether `take` has something to look at."""
        return self._cursor < self._hub._log.last or self._stamp < self._hub._live.stamp

    def wait(self, timeout: float | None = None) -> bool:
        """Blocks until there may be something to take; False when the time is over or the hub was closed."""
        hub = self._hub
        with hub._lock:
            hub._sleepers += 1
            try:
                hub._news.wait_for(lambda: self.has_news or hub.closed, timeout)
            finally:
                hub._sleepers -= 1
            return self.has_news

    async def changed(self) -> bool:
        """As `wait`, for coroutines."""
        import asyncio

        hub = self._hub
        with hub._lock:
            if self.has_news or hub.closed:
                return self.has_news
            bell = hub._bells.setdefault(asyncio.get_running_loop(), asyncio.Event())
        await bell.wait()
        return self.has_news

    def close(self) -> None:
        with self._hub._lock:
            self._hub._listeners -= self._open
            self._open = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _progress(self, upto: int) -> list[Piece]:
        live = self._hub._live
        frames = tuple(live.json(one) for one in live.newer(self._stamp) if self._wanted.wants_progress(one.run))
        self._stamp = live.stamp
        return [Piece(frames, upto)] if frames else []
