"""A ring of frames in shared memory: one writer, several readers, every frame to each of them in order.

The writer publishes a frame by counting `HEAD` up, a reader gives one back by counting its `TAIL` up; nobody else
writes these words, so that no lock is taken while frames flow. A slot is written only when all readers that hold the
writer back are through with it. Each slot bears the number of its frame, so that also a reader that does not hold the
writer back knows whether what it got is whole.

A ring can be handed to a process that is being started (spawn or forkserver); there `writer()` and `reader()` open
its two ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cortex.shm import layout, waking
from cortex.shm.errors import ShmError
from cortex.shm.layout import BLOCKING, BROKEN, DONE, FREE, GOES_ON, LEFT, LOSSY, SLOT_WORDS, RingSpec, plain
from cortex.shm.liveness import lives, myself
from cortex.shm.segment import Segment

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from cortex.shm.reader import Reader
    from cortex.shm.writer import Writer


class ReaderStats(NamedTuple):
    """`behind`: published frames that it has not read; `skipped`: frames that it left out or lost because it does not
    hold the writer back; `overwritten`: those it was looking at when they were; `empty_waits`: how often it slept."""

    pid: int
    blocking: bool
    behind: int
    skipped: int
    overwritten: int
    empty_waits: int


class RingStats(NamedTuple):
    """`written`: frames; `pressure`: how full the ring is of what is to be read, 0 to 100; `full_waits`: how often the
    writer found it full. Readers by their place, None where there is none."""

    written: int
    bytes_written: int
    pressure: float
    full_waits: int
    ended: bool
    broken: bool
    readers: tuple[ReaderStats | None, ...]


class Ring:
    """Raises `ShmError` when there is no memory for it, `ValueError` for frames that it cannot carry.

    `readers`: the most there can be at a time. `supervised`: somebody else looks after those who write and read it and
    tells `broken` and `gone`; otherwise both ends find out themselves when the other has died.
    """

    def __init__(
        self,
        name: str,
        *,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        frames: int = 32,
        readers: int = 1,
        supervised: bool = False,
    ) -> None:
        self._open(RingSpec(name, *plain(tuple(shape), np.dtype(dtype)), frames, readers), supervised, None)
        for reader in range(readers):
            self.words[self.spec.reader_words(reader) + layout.WAKE_AT] = layout.NEVER

    def _open(self, spec: RingSpec, supervised: bool, segment: Segment | None) -> None:
        waking.prepare()
        self.spec = spec
        self.supervised = supervised
        self.segment = segment or Segment(spec.name, spec.size)
        self.words = memoryview(self.segment.memory)[: spec.words * 8].cast("Q")

    def __getstate__(self) -> tuple[RingSpec, bool, Segment]:
        return self.spec, self.supervised, self.segment

    def __setstate__(self, state: tuple[RingSpec, bool, Segment]) -> None:
        self._open(*state)

    def __repr__(self) -> str:
        spec = self.spec
        return f"<Ring {spec.name!r}: {spec.slots} × {spec.shape} {spec.dtype}, {spec.readers} readers>"

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def state(self) -> int:
        return self.words[layout.ENDED]

    def address(self, word: int) -> int:
        return self.segment.address + word * 8

    def writer(self) -> Writer:
        """Opens the end that writes, where the last writer left off. Raises `ShmError` while another has it."""
        from cortex.shm.writer import Writer

        words = self.words
        with self.segment.lock():
            other = words[layout.WRITER_PID], words[layout.WRITER_SINCE]
            if other != myself() and lives(*other):
                raise ShmError(f"The stream {self.name!r} has a writer already, process {other[0]}.")
            words[layout.WRITER_PID], words[layout.WRITER_SINCE] = myself()
            words[layout.ENDED] = GOES_ON
        return Writer(self)

    def reader(self, place: int | None = None, *, blocking: bool = True, latest: bool = False) -> Reader:
        """Opens an end that reads: at the given place, where its last reader left off, or at a free one, from the
        next frame on that is written. `latest`: always the newest frame, without holding the writer back. Raises
        `ShmError` when no place is free, or there is none of that number."""
        from cortex.shm.reader import Reader

        if place is not None and not 0 <= place < self.spec.readers:
            raise ShmError(
                f"The stream {self.name!r} has {self.spec.readers} places for readers, and no number {place}."
            )
        with self.segment.lock():
            place = self._take_place(place)
        reader = Reader(self, place, latest=latest)
        reader.set_blocking(blocking and not latest)
        return reader

    def expect(self, place: int) -> None:
        """Holds a place for a reader that comes later: every frame from now on waits for it."""
        with self.segment.lock():
            self.join(place)

    def _take_place(self, place: int | None) -> int:
        """One that is held for who comes later is taken before one that is free; where somebody else looks after
        readers, he says who that is."""
        if place is None:
            states = [self._reader_words(number) for number in range(self.spec.readers)]
            expected = () if self.supervised else enumerate(states)
            held = [number for number, (state, pid, _) in expected if state == BLOCKING and not pid]
            free = [number for number, one in enumerate(states) if one[0] in (FREE, LEFT) or self._has_died(*one)]
            if not (held or free):
                raise ShmError(
                    f"The stream {self.name!r} has no place for another reader: {self.spec.readers} are there."
                )
            place = (held or free)[0]
            if not held:
                self._leave(place)
        base, words = self.spec.reader_words(place), self.words
        words[base + layout.PID], words[base + layout.SINCE] = myself()
        if words[base + layout.STATE] in (FREE, LEFT):
            for counter in (layout.SKIPPED, layout.OVERWRITTEN, layout.EMPTY_WAITS):
                words[base + counter] = 0
            self.join(place)
        return place

    def _reader_words(self, place: int) -> tuple[int, int, int]:
        """State, process, and since when that is there."""
        base = self.spec.reader_words(place)
        state, pid, since = self.words[base + layout.STATE : base + layout.SINCE + 1]
        return state, pid, since

    def _has_died(self, state: int, pid: int, since: int) -> bool:
        """Where somebody else looks after readers it is not for others to say."""
        return state in (BLOCKING, LOSSY) and pid != 0 and not self.supervised and not lives(pid, since)

    def join(self, place: int) -> None:
        """Has the writer wait for a reader from the next frame on. The tail is set a second time once the writer is
        sure to see the reader: it may have counted on room that it has no more, but never on more than a ring's length
        from a head that it had published by then."""
        base, words = self.spec.reader_words(place), self.words
        words[base + layout.TAIL] = words[layout.HEAD]
        words[base + layout.STATE] = BLOCKING
        waking.see_each_other()
        words[base + layout.TAIL] = words[layout.HEAD]

    def end(self, *, broken: bool = False) -> None:
        """Nothing more will be written; readers go on until they have read all."""
        with self.segment.lock():
            self._end(BROKEN if broken else DONE)

    def end_if_abandoned(self) -> None:
        """Where nobody else looks after the writer, and it has died without a word."""
        if self.is_abandoned():
            with self.segment.lock():
                if self.is_abandoned():
                    self._end(BROKEN)

    def _end(self, state: int) -> None:
        words = self.words
        if words[layout.ENDED] == GOES_ON:
            words[layout.ENDED] = state
        words[layout.WRITER_PID] = words[layout.WRITER_SINCE] = 0
        waking.see_each_other()
        self.wake_readers()

    def wake_readers(self) -> None:
        self.words[layout.ASLEEP] = 0
        self.words[layout.RUNG] += 1
        waking.wake(self.address(layout.RUNG))

    def leave(self, place: int) -> None:
        """A reader has gone: the writer does not wait for it any more."""
        with self.segment.lock():
            self._leave(place)

    def _leave(self, place: int) -> None:
        base, words = self.spec.reader_words(place), self.words
        words[base + layout.PID] = words[base + layout.SINCE] = 0
        words[base + layout.STATE] = LEFT
        waking.see_each_other()
        self.wake_writer(place)

    def wake_writer(self, place: int) -> None:
        """It waits for this reader, or does so needlessly."""
        base, words = self.spec.reader_words(place), self.words
        words[base + layout.WAKE_AT] = layout.NEVER
        words[base + layout.DONE_WAITING] += 1
        waking.wake(self.address(base + layout.DONE_WAITING))

    def drop_dead_readers(self) -> None:
        """Lets go of readers that have died, where nobody else looks after them."""
        places = range(self.spec.readers)
        if any(self._has_died(*self._reader_words(place)) for place in places):
            with self.segment.lock():
                for place in places:
                    if self._has_died(*self._reader_words(place)):
                        self._leave(place)

    def is_abandoned(self) -> bool:
        """Whether there was a writer that has died without a word, and nobody else looks after it."""
        pid = self.words[layout.WRITER_PID]
        return pid != 0 and not self.supervised and not lives(pid, self.words[layout.WRITER_SINCE])

    def stats(self) -> RingStats:
        """As it is now; the numbers may be a frame apart from each other."""
        words, spec = self.words, self.spec
        readers = tuple(map(self._reader_stats, range(spec.readers)))
        written, state = words[layout.HEAD], words[layout.ENDED]
        fullest = max((one.behind for one in readers if one is not None and one.blocking), default=0)
        return RingStats(
            written=written,
            bytes_written=written * spec.frame_nbytes,
            pressure=min(fullest, spec.slots) * 100.0 / spec.slots,
            full_waits=words[layout.FULL_WAITS],
            ended=state != GOES_ON,
            broken=state == BROKEN,
            readers=readers,
        )

    def _reader_stats(self, place: int) -> ReaderStats | None:
        base = self.spec.reader_words(place)
        tail, state, pid, _, skipped, overwritten, waits = self.words[base : base + layout.EMPTY_WAITS + 1]
        if state not in (BLOCKING, LOSSY):
            return None
        behind = max(self.words[layout.HEAD] - tail, 0)
        return ReaderStats(pid, state == BLOCKING, behind, skipped, overwritten, waits)

    def close(self) -> None:
        """Gives the memory back once no view of it is held any more, here and in other processes."""
        self.words.release()
        self.segment.close()


def slots_of(ring: Ring, *, writable: bool) -> list[tuple[np.ndarray[Any, Any], int, memoryview]]:
    """For each slot its frame as an array, the number of its first word, and its frame as bytes."""
    spec, memory = ring.spec, ring.segment.memory
    data = memoryview(memory) if writable else memoryview(memory).toreadonly()
    starts = enumerate(range(spec.frames_offset, spec.size, spec.stride))
    return [
        (
            np.ndarray(spec.shape, spec.dtype, buffer=memory, offset=start),
            spec.slot_words + slot * SLOT_WORDS,
            data[start : start + spec.frame_nbytes],
        )
        for slot, start in starts
    ]
