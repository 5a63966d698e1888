"""The newest events, kept in files while they come, so that who listens goes on where they were: also with the process
after one that was killed."""

from __future__ import annotations

import os
import struct
import threading
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from loom.bus.log import CAPACITY, Numbered
from loom.events import ActionEvent, AssetEvent, DuplicateEvent, Event, NodeEvent, RunEvent, RunHead

EVERY_S = 1.0
"""What is younger may be lost when the process is killed: listeners are told of a gap."""

MOST_BYTES = 32 * 1024 * 1024
"""Of one of the two files, give or take one batch of events."""

_KINDS: tuple[type[Event], ...] = (NodeEvent, AssetEvent, RunEvent, DuplicateEvent, ActionEvent)
_decoders = [msgspec.msgpack.Decoder(kind).decode for kind in _KINDS]
_encode = msgspec.msgpack.Encoder().encode
_BEGIN = b"loom events 2\n"
_HEAD = struct.Struct("<II")
"""Before each batch: its length, and its CRC-32."""


class _Batch(msgspec.Struct, frozen=True, array_like=True):
    """Events whose numbers follow each other: of each the number of its run, its kind, and what it is."""

    first: int
    runs: list[RunHead]
    events: list[tuple[int, int, msgspec.Raw]]


_decode = msgspec.msgpack.Decoder(_Batch).decode


class _Found(NamedTuple):
    """What a file has. `size` is where the last batch ends that was written whole."""

    events: list[Numbered]
    size: int


class KeptEvents:
    """A file of events that grows, and the one before it. Of what another version has left there nothing is taken, and
    of a batch that was not written whole neither. All is best effort: without it listeners are told of a gap."""

    def __init__(self, path: Path, *, most: int = CAPACITY, every_s: float = EVERY_S) -> None:
        """`most`: of so many events a file is begun anew."""
        self._path, self._former = path, path.with_name(f"{path.name}.old")
        self._most, self._every_s = most, every_s
        self._fd: int | None = None
        self._count = self._size = self._upto = 0
        self._newer: Callable[[int], list[Numbered]] = lambda after: []
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None

    def load(self) -> list[Numbered]:
        """What former processes have told, the oldest first."""
        former, newest = _read(self._former), _read(self._path)
        self._count, self._size = len(newest.events), newest.size
        return [*former.events, *newest.events]

    def follow(self, newer: Callable[[int], list[Numbered]], after: int) -> None:
        """From now on, until `close`, keeps what `newer` has: the next events after a number, as many as it likes."""
        self._newer, self._upto = newer, after
        with suppress(OSError):
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.ftruncate(self._fd, self._size)
        self._thread = threading.Thread(target=self._follow, name="events", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Keeps the last ones, if any are kept."""
        if self._thread is not None:
            self._ends.set()
            self._thread.join()
            self._keep()
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _follow(self) -> None:
        while not self._ends.wait(self._every_s):
            self._keep()

    def _keep(self) -> None:
        while events := self._newer(self._upto):
            self._upto = events[-1].seq
            try:
                self._write(events)
            except OSError:  # what was written of it is cut when there is room again
                continue

    def _write(self, events: Sequence[Numbered]) -> None:
        if self._fd is None or self._count >= self._most or self._size >= MOST_BYTES:
            self._begin_anew()
        assert self._fd is not None
        batch = _packed(events)
        data = _HEAD.pack(len(batch), zlib.crc32(batch)) + batch
        if not self._size:
            data = _BEGIN + data
        os.ftruncate(self._fd, self._size)
        written = os.pwrite(self._fd, data, self._size)
        if written == len(data):
            self._count, self._size = self._count + len(events), self._size + written

    def _begin_anew(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
            self._path.replace(self._former)
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._count = self._size = 0


def _packed(events: Sequence[Numbered]) -> bytes:
    runs: dict[RunHead, int] = {}
    told = [(runs.setdefault(run, len(runs)), _KINDS.index(type(event)), event) for _, run, event in events]
    return _encode((events[0].seq, list(runs), told))


def _read(path: Path) -> _Found:
    try:
        data = path.read_bytes()
    except OSError:
        return _Found([], 0)
    if not data.startswith(_BEGIN):
        return _Found([], 0)
    events: list[Numbered] = []
    at = len(_BEGIN)
    with suppress(struct.error, msgspec.DecodeError, IndexError):
        while at < len(data):
            size, crc = _HEAD.unpack_from(data, at)
            packed = data[at + _HEAD.size : at + _HEAD.size + size]
            if len(packed) < size or zlib.crc32(packed) != crc:
                break
            events += _unpacked(_decode(packed))
            at += _HEAD.size + size
    return _Found(events, at)


def _unpacked(batch: _Batch) -> list[Numbered]:
    return [
        Numbered(seq, batch.runs[run], _decoders[kind](event))
        for seq, (run, kind, event) in enumerate(batch.events, batch.first)
    ]
