"""What Loom could not yet be told: batches in files on this machine, bounded, sent in order when Loom is back.

Derived files that are too large for memory lie beside their message, in files with its number.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple
from uuid import UUID, uuid4

import msgspec

from cortex.engine.refused import REFUSED, is_refusal, set_aside
from loom.errors import LoomError
from loom.events import AssetEvent, Event, NodeEvent, RunEvent, RunHead
from loom.model import Action, AssetReport, RunClosing, RunOpening
from loom.verbs import NewArtifact, Parts, Said

MAX_EVENTS = 100_000
"""As many numbered events as Loom keeps itself for those who come back to it."""

_HALF_WRITTEN = "writing"
_LOCK = "lock"
_LARGE = "large"
_ACCOMPANIED = "accompanied.msg"
_EVENT_TYPES: tuple[type[NodeEvent] | type[AssetEvent] | type[RunEvent], ...] = (NodeEvent, AssetEvent, RunEvent)


class Told(msgspec.Struct, array_like=True):
    """One message that waits: an opening, a closing, artifacts, the reports of a run, what it is `ahead` to do and
    has `dropped`, or the events of one. An event stands after the index of its type. `said` names events, so that they
    can be told again."""

    opening: RunOpening | None = None
    closing: RunClosing | None = None
    artifacts: list[NewArtifact] | None = None
    run: UUID | None = None
    reports: list[AssetReport] | None = None
    head: RunHead | None = None
    events: list[tuple[int, msgspec.Raw]] | None = None
    worker: str | None = None
    said: Said | None = None
    ahead: list[Action] | None = None
    dropped: list[UUID] | None = None


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
        self._waiting = {path: _Waiting(_size(path), _events_in(path)) for path in _messages(folder)}
        named = {file for path in self._waiting for file in _beside(path)}
        for left in set(folder.glob(f"*.{_LARGE}")) - named:
            left.unlink()  # who wrote it was killed before the message was there
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
        large = [artifact for artifact in told.artifacts or () if artifact.parts is not None]
        data = msgspec.msgpack.encode(_light(told))
        events = len(told.events or ())
        if self._make_room(len(data) + sum(artifact.size for artifact in large), events):
            self._write(data, events, large)
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
                tell(_with_large(_decode(data), path))
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

    def _write(self, data: bytes, events: int, large: Sequence[NewArtifact]) -> None:
        kind = f"{events}.events" if events else "msg"
        if large:
            kind = _ACCOMPANIED
        place = self._folder / f"{next(self._numbers):012d}.{kind}"
        for artifact in large:
            self._write_file(_place_of(place, artifact.digest), artifact.pieces())
        self._write_file(place, [data])
        self._waiting[place] = _Waiting(_size(place), events)
        self._bytes += self._waiting[place].size
        self._events += events

    def _write_file(self, place: Path, pieces: Iterable[bytes]) -> None:
        temporary = self._folder / _HALF_WRITTEN
        with temporary.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(place)

    def _forget(self, path: Path) -> None:
        beside = _beside(path)
        path.unlink()
        for file in beside:
            file.unlink()
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


def _size(message: Path) -> int:
    return sum(path.stat().st_size for path in (message, *_beside(message)))


def _beside(message: Path) -> list[Path]:
    if not message.name.endswith(_ACCOMPANIED):
        return []
    return list(message.parent.glob(f"{_number(message):012d}.*.{_LARGE}"))


def _place_of(message: Path, digest: bytes) -> Path:
    return message.with_name(f"{_number(message):012d}.{digest.hex()}.{_LARGE}")


def _light(told: Told) -> Told:
    """Without the bytes that lie in files."""
    if not any(artifact.parts is not None for artifact in told.artifacts or ()):
        return told
    return msgspec.structs.replace(told, artifacts=[one._replace(parts=None) for one in told.artifacts or ()])


def _with_large(told: Told, message: Path) -> Told:
    """With what lies in files beside the message."""
    if not told.artifacts or not _beside(message):
        return told
    artifacts = []
    for one in told.artifacts:
        with contextlib.suppress(FileNotFoundError):
            one = one._replace(parts=Parts.whole(os.open(_place_of(message, one.digest), os.O_RDONLY | os.O_CLOEXEC)))
        artifacts.append(one)
    return msgspec.structs.replace(told, artifacts=artifacts)


def _number(path: Path) -> int:
    return int(path.name.partition(".")[0])


def _events_in(path: Path) -> int:
    return int(path.name.split(".")[1]) if path.suffix == ".events" else 0


def _decode(data: bytes) -> Told:
    try:
        return msgspec.msgpack.decode(data, type=Told)
    except msgspec.DecodeError as error:
        raise LoomError("INTERNAL", f"The message cannot be read any more: {error}") from error
