"""Those who write and read rings in the tests: functions for processes of their own, and what is told of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from cortex.shm.errors import EndOfStream, ShmError
from cortex.shm.event import Event
from cortex.shm.reader import Reader
from cortex.shm.ring import Ring
from cortex.shm.segment import Segment
from cortex.shm.writer import Writer

WAIT_S = 60
_SPAWN = multiprocessing.get_context("spawn")


class Player:
    """One of the functions below in a process of its own; both sides speak through a line."""

    def __init__(self, function: Callable[..., None], *arguments: Any) -> None:
        self._line, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=function, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def hears(self, what: Any) -> None:
        self._line.send(what)

    def says(self) -> Any:
        assert self._line.poll(WAIT_S), "it said nothing"
        return self._line.recv()

    def ends(self) -> None:
        self._process.join(WAIT_S)
        assert self._process.exitcode == 0

    def is_killed(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self._process.join(WAIT_S)

    def close(self) -> None:
        self._process.kill()
        self._process.join(WAIT_S)
        self._process.close()
        self._line.close()


MakeRing = Callable[..., Ring]
"""This and what follows are what the fixtures of `tests/cortex/shm` give."""

Play = Callable[..., Player]
Ask = Callable[[Reader, float | None], Any]
Aside = Callable[..., Future[Any]]


class Told(NamedTuple):
    """What a reader got until the end: the number of its first frame, how many, whether each had its number in every
    value and followed the one before, and whether the stream broke off."""

    first: int
    frames: int
    is_whole: bool
    has_gaps: bool
    is_broken: bool


def numbered(ring: Ring, number: int) -> np.ndarray[Any, Any]:
    """A frame that bears its number in every value."""
    return np.full(ring.spec.shape, number, ring.spec.dtype)


def is_numbered(frame: np.ndarray[Any, Any], number: int) -> bool:
    return bool((frame == np.asarray(number).astype(frame.dtype)).all())


def ends(ring: Ring, **more: bool) -> tuple[Writer, Reader]:
    return ring.writer(), ring.reader(**more)


def put(ring: Ring, writer: Writer, *numbers: int) -> None:
    for number in numbers:
        assert writer.write(numbered(ring, number))


def put_next(ring: Ring, writer: Writer, count: int) -> None:
    """So many frames, each with its number in the stream."""
    for _ in range(count):
        put(ring, writer, writer.sequence)


def read_number(reader: Reader) -> int:
    """The number of the next frame, which is whole."""
    frame = reader.read(20)
    assert frame is not None
    assert reader.last is not None
    assert is_numbered(frame, reader.last.sequence)
    return reader.last.sequence


def unread(reader: Reader) -> list[int]:
    """The numbers in the frames that can be read now."""
    found = []
    while (frame := reader.read()) is not None:
        found.append(int(frame.flat[0]))
    return found


def write_numbered(line: Connection, ring: Ring, frames: int) -> None:
    """Goes on where the last writer left off, waits for room, and ends the stream."""
    writer = ring.writer()
    line.send(writer.sequence)
    for _ in range(frames):
        writer.write(numbered(ring, writer.sequence), timeout=None)
    writer.end()


def write_and_stay(line: Connection, ring: Ring, frames: int) -> None:
    """Writes so many frames, starts on one more and waits to be killed."""
    writer = ring.writer()
    for _ in range(frames):
        writer.write(numbered(ring, writer.sequence), timeout=None)
    view = writer.look()
    if view is not None:
        view[:] = bytes([255]) * len(view)
    line.send(writer.sequence)
    line.recv()


def write_when_told(line: Connection, *rings: Ring) -> None:
    """As fast as it can into the ring of the number that it is told, until it is told another; None is the end. Says
    how many frames it has written into each."""
    writers = [ring.writer() for ring in rings]
    line.send("ready")
    while (number := line.recv()) is not None:
        writer, frame = writers[number], numbered(rings[number], 0)
        while not line.poll():
            for _ in range(64):
                frame[...] = writer.sequence
                writer.write(frame, timeout=0.1)
        line.send(writer.sequence)


def read_to_end(line: Connection, ring: Ring) -> None:
    reader = ring.reader()
    line.send("ready")
    numbers, is_whole = [], True
    try:
        while True:
            frame = reader.read(timeout=None)
            assert frame is not None
            assert reader.last is not None
            numbers.append(reader.last.sequence)
            is_whole = is_whole and is_numbered(frame, reader.last.sequence)
    except EndOfStream as end:
        has_gaps = numbers != list(range(numbers[0], numbers[0] + len(numbers)))
        line.send(Told(numbers[0], len(numbers), is_whole, has_gaps, end.is_broken))


def read_and_stay(line: Connection, ring: Ring, frames: int, place: int | None = None) -> None:
    """Reads so many frames, says the number of the last, looks at the next and waits to be killed."""
    reader = ring.reader(place)
    line.send("ready")
    for _ in range(frames):
        reader.read(timeout=None)
    line.send(reader.last.sequence if reader.last else -1)
    reader.look()
    line.recv()


def ask_to_write(line: Connection, ring: Ring) -> None:
    """Says why it may not, and the number of the next frame otherwise."""
    try:
        line.send(ring.writer().sequence)
    except ShmError as error:
        line.send(str(error))


def keep_lock(line: Connection, segment: Segment) -> None:
    with segment.lock():
        line.send("locked")
        line.recv()


def turn_bytes(line: Connection, segment: Segment) -> None:
    """Says the first byte it finds, and turns all around."""
    line.send(segment.memory[0])
    segment.memory[:] = bytes(255 - byte for byte in segment.memory[:])
    line.send(segment.descriptor)


def take_activations(line: Connection, event: Event) -> None:
    """Takes what it can get until it is told to stop; says how many it got."""
    line.send("ready")
    taken = 0
    while not line.poll():
        if event.wait(0.02) and event.reset():
            taken += 1
    line.send(taken)


def wait_for_event(line: Connection, event: Event) -> None:
    line.send("ready")
    line.send(event.wait(WAIT_S))
