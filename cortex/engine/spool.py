"""What Loom could not yet be told: batches in files on this machine, bounded, sent in order when Loom is back."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import UUID, uuid4

import msgspec

from cortex.engine.refused import REFUSED, is_refusal, set_aside
from loom.errors import LoomError
from loom.events import AssetEvent, Event, NodeEvent, RunEvent, RunHead
from loom.model import AssetReport, RunClosing, RunOpening
from loom.verbs import NewArtifact, Said

MAX_EVENTS = 100_000
"""As many numbered events as Loom keeps itself for those who come back to it."""

_HALF_WRITTEN = "writing"
_LOCK = "lock"
_EVENT_TYPES: tuple[type[NodeEvent] | type[AssetEvent] | type[RunEvent], ...] = (NodeEvent, AssetEvent, RunEvent)


class Told(msgspec.Struct, array_like=True):
    """One message that waits: an opening, a closing, artifacts, the reports of a run, or the events of one. An event
    stands after the index of its type. `said` names events, so that they can be told again."""

    opening: RunOpening | None = None
    closing: RunClosing | None = None
    artifacts: list[NewArtifact] | None = None
    run: UUID | None = None
    reports: list[AssetReport] | None = None
    head: RunHead | None = None
    events: list[tuple[int, msgspec.Raw]] | None = None
    worker: str | None = None
    said: Said | None = None


def told_events(head: RunHead, events: list[Event], said: Said | None = None) -> Told:
    packed = [(_EVENT_TYPES.index(type(event)), msgspec.Raw(msgspec.msgpack.encode(event))) for event in events]
    return Told(head=head, events=packed, said=said)


def events_of(told: Told) -> list[Event]:
    return [msgspec.msgpack.decode(raw, type=_EVENT_TYPES[index]) for index, raw in told.events or ()]


class _Waiting(NamedTuple):
    size: int
    events: int


class Spool:
    """A folder of numbered messages, held by one process. `limit_bytes` bounds it: beyond, `put` raises
    `LOOM_UNREACHABLE`. Of events the newest `MAX_EVENTS` are kept, and fewer where results need the room; `lost_events`
    counts the others. Not safe for threads."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        """Raises `BlockingIOError` when another process holds the folder."""
        self._folder = folder
        self._limit = limit_bytes
        with _locked(folder.parent):
            self._hold = _held(folder)
        self._waiting = {path: _Waiting(path.stat().st_size, _events_in(path)) for path in _messages(folder)}
        self._numbers = itertools.count(max(map(_number, self._waiting), default=0) + 1)
        self._bytes = sum(waiting.size for waiting in self._waiting.values())
        self._events = sum(waiting.events for waiting in self._waiting.values())
        self.lost_events = 0

    def close(self) -> None:
        """Lets go of the folder, and removes it when nothing waits in it."""
        with self._hold, _locked(self._folder.parent):
            if self.empty:
                for name in (_HALF_WRITTEN, _LOCK):
                    (self._folder / name).unlink(missing_ok=True)
                self._folder.rmdir()

    @property
    def empty(self) -> bool:
        return not self._waiting

    @property
    def only_events(self) -> bool:
        """Whether nothing waits that is to be stored."""
        return all(waiting.events for waiting in self._waiting.values())

    @property
    def set_aside(self) -> Path:
        """Where messages are kept that Loom refused."""
        return self._folder.parent / REFUSED

    def put(self, told: Told) -> None:
        """Keeps a message; it is on the disk when this returns."""
        data = msgspec.msgpack.encode(told)
        events = len(told.events or ())
        if self._make_room(len(data), events):
            self._write(data, events)
        elif events:
            self.lost_events += events
        else:
            raise LoomError(
                "LOOM_UNREACHABLE",
                f"Loom cannot be reached, and more than {self._limit:,} bytes of results wait for it",
            )

    def send(self, tell: Callable[[Told], None]) -> list[LoomError]:
        """Tells the messages in order; each is forgotten once it was told. Those that Loom refuses for good are set
        aside; returns why. Raises what else `tell` raises."""
        refusals = []
        for path in list(self._waiting):
            data = path.read_bytes()
            try:
                tell(_decode(data))
            except LoomError as error:
                if not is_refusal(error):
                    raise
                set_aside(self.set_aside, data, error)
                refusals.append(error)
            self._forget(path)
        return refusals

    def _make_room(self, size: int, events: int) -> bool:
        """Whether there is room for a message, the oldest events given up for it if need be."""
        for path in [path for path, waiting in self._waiting.items() if waiting.events]:
            if self._bytes + size <= self._limit and (not events or self._events + events <= MAX_EVENTS):
                break
            self.lost_events += self._waiting[path].events
            self._forget(path)
        return self._bytes + size <= self._limit and events <= MAX_EVENTS

    def _write(self, data: bytes, events: int) -> None:
        kind = f"{events}.events" if events else "msg"
        place = self._folder / f"{next(self._numbers):012d}.{kind}"
        temporary = self._folder / _HALF_WRITTEN
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)
        self._waiting[place] = _Waiting(len(data), events)
        self._bytes += len(data)
        self._events += events

    def _forget(self, path: Path) -> None:
        path.unlink()
        size, events = self._waiting.pop(path)
        self._bytes -= size
        self._events -= events


def new_spool(room: Path, limit_bytes: int) -> Spool:
    """A spool of this process's own below `room`."""
    return Spool(room / uuid4().hex, limit_bytes)


def left_behind(room: Path, limit_bytes: int) -> Iterator[Spool]:
    """The spools below `room` that no living process holds."""
    for folder in sorted(room.iterdir()) if room.is_dir() else ():
        if folder.name == REFUSED:
            continue
        try:
            yield Spool(folder, limit_bytes)
        except BlockingIOError:
            continue


@contextlib.contextmanager
def _locked(room: Path) -> Iterator[None]:
    """While this lasts, no other process makes, takes over or removes a spool in the same room."""
    room.parent.mkdir(parents=True, exist_ok=True)
    with room.with_name(f"{room.name}.{_LOCK}").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _held(folder: Path) -> BinaryIO:
    folder.mkdir(parents=True, exist_ok=True)
    hold = (folder / _LOCK).open("wb")
    try:
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        hold.close()
        raise
    return hold


def _messages(folder: Path) -> list[Path]:
    return sorted((*folder.glob("*.msg"), *folder.glob("*.events")), key=_number)


def _number(path: Path) -> int:
    return int(path.name.partition(".")[0])


def _events_in(path: Path) -> int:
    return int(path.name.split(".")[1]) if path.suffix == ".events" else 0


def _decode(data: bytes) -> Told:
    try:
        return msgspec.msgpack.decode(data, type=Told)
    except msgspec.DecodeError as error:
        raise LoomError("INTERNAL", f"The message cannot be read any more: {error}") from error
