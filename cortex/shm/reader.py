"""The end of a ring that reads."""

from __future__ import annotations

import ctypes
import math
import threading
import weakref
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import numpy as np

from cortex.shm import layout, waking
from cortex.shm.errors import NothingPendingError, ShmError
from cortex.shm.layout import (
    BLOCKING,
    LOSSY,
    META_BYTES,
    META_LENGTH,
    SLOT_WORDS,
    TIME,
)
from cortex.shm.ring import Ring, slots_of
from cortex.shm.standing import Standing

_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode


class FrameInfo(NamedTuple):
    """What is known of a frame: its number from 0 on, when it was published (nanoseconds since 1970), and the mapping
    that its writer gave it."""

    sequence: int
    time_ns: int
    meta: dict[str, Any]


class Frame(NamedTuple):
    """A frame that stays where it lies until `array` and all that was made of it as a view are gone."""

    array: np.ndarray[Any, Any]
    info: FrameInfo


class Reader(Standing):
    """Reads the frames of a stream; what a task gets for each name in its `reads`.

    `timeout` says how many seconds to wait for a frame: 0 does not wait, None waits without limit. To wait costs no
    processor time. Once the writer is done and all was read, everything that asks for a frame raises `EndOfStream`.
    """

    def __init__(self, ring: Ring, place: int, *, latest: bool = False) -> None:
        super().__init__(ring, place, latest=latest)
        spec = ring.spec
        self.shape = spec.shape
        self.dtype = spec.dtype
        self.frame_nbytes = spec.frame_nbytes
        self._lie = slots_of(ring, writable=False)
        self._block = ctypes.c_ubyte * spec.frame_nbytes
        self._looking_at = -1
        self._has_left = False
        self._held: set[int] = set()
        self._holds = False
        """Whether frames were ever held: they are let go of in whatever thread, at whatever moment."""
        self._giving = threading.RLock()
        self._said: tuple[int, int, dict[str, Any] | None] | None = None

    @property
    def frame_size(self) -> int:
        """How many values a frame has."""
        return math.prod(self.shape)

    @property
    def last(self) -> FrameInfo | None:
        """Of the frame that was read last, or is looked at; None before the first."""
        if self._said is None:
            return None
        sequence, time_ns, meta = self._said
        return FrameInfo(sequence, time_ns, meta or {})

    def read(self, timeout: float | None = 0.0) -> np.ndarray[Any, Any] | None:
        """A copy of the next frame, which is the caller's own; None when there was none in time."""
        while True:
            at = self._next
            if (at >= self._seen or self._is_lossy) and (at := self._await(timeout)) < 0:
                return None
            frame, word, _ = self._lie[self._slot_of(at) if self._reuses else at % self._slots]
            copy = frame.copy()
            if self._took(at, word):
                return copy

    def read_into(self, out: np.ndarray[Any, Any], timeout: float | None = 0.0) -> bool:
        """Copies the next frame into an array, which may have gaps (a slice with a step); false when there was none in
        time. Raises `ValueError` for another shape or dtype, `TypeError` for what cannot be written to; the frame is
        not lost then."""
        if type(out) is not np.ndarray or out.dtype != self.dtype or out.shape != self.shape:
            self._check(out)
        while True:
            at = self._next
            if (at >= self._seen or self._is_lossy) and (at := self._await(timeout)) < 0:
                return False
            frame, word, _ = self._lie[self._slot_of(at) if self._reuses else at % self._slots]
            try:
                out[...] = frame
            except ValueError as error:
                raise TypeError(f"The stream {self.name!r} cannot be read into an array that is read-only.") from error
            if self._took(at, word):
                return True

    def look(self, timeout: float | None = 0.0) -> memoryview | None:
        """A read-only view of the next frame, where it lies; None when there was none in time. It holds until
        `increment`; of a reader that does not hold the writer back, that says whether it did."""
        at = self._next
        if self._looking_at < 0 and (at >= self._seen or self._is_lossy) and (at := self._await(timeout)) < 0:
            return None
        _, word, view = self._lie[self._slot_of(at) if self._reuses else at % self._slots]
        self._looking_at = at
        self._tell(at, word)
        return view[:]

    def increment(self) -> bool:
        """Goes on to the next frame; false when the one that was looked at was overwritten meanwhile. Raises
        `NothingPendingError` when there is none to step over."""
        at = self._next
        if self._looking_at < 0 and at >= self._seen and (at := self._await(0.0)) < 0:
            raise NothingPendingError(f"The stream {self.name!r} has no frame to step over.")
        was_whole = self._words[self._lie[self._slot_of(at)][1]] == at + 1
        if not was_whole:
            self._words[self._base + layout.OVERWRITTEN] += 1
        self._looking_at = -1
        self._go_on(at + 1)
        return was_whole

    def hold(self, timeout: float | None = 0.0) -> Frame | None:
        """The next frame as a read-only array where it lies. Its slot is not written again before the array, and all
        that was made of it as a view, is gone, while further frames can be read: for passing frames on without a copy.
        None when there was none in time. Raises `ShmError` for a reader that does not hold the writer back."""
        if self._is_lossy:
            raise ShmError(f"A reader of {self.name!r} that does not hold its writer back cannot hold frames.")
        at = self._next
        if at >= self._seen and (at := self._await(timeout)) < 0:
            return None
        slot = self._slot_of(at)
        self._tell(at, self._lie[slot][1])
        start = self.ring.spec.frames_offset + slot * self.ring.spec.stride
        block = self._block.from_buffer(self.ring.segment.memory, start)
        weakref.finalize(block, self._let_go, at).atexit = False
        array: np.ndarray[Any, Any] = np.frombuffer(memoryview(block), self.dtype).reshape(self.shape)
        array.flags.writeable = False
        self._held.add(at)
        self._holds = True
        self._looking_at = -1
        self._go_on(at + 1)
        info = self.last
        assert info is not None
        return Frame(array, info)

    def set_blocking(self, blocking: bool) -> None:
        """False: the writer does not wait for this reader any more, which may lose frames. True: it does again, from
        the next frame on that is written; what was not read before is left out. Raises `ShmError` while frames are
        held."""
        state = self._base + layout.STATE
        if blocking == (self._words[state] == BLOCKING):
            return
        if self._held:
            raise ShmError(f"The reader of {self.name!r} holds frames: let go of them first.")
        self._looking_at = -1
        self._is_lossy = not blocking
        if blocking:
            before = self._next
            self.ring.join(self._place)
            self._next = self._words[self._tail]
            self._words[self._base + layout.SKIPPED] += max(self._next - before, 0)
        else:
            self._words[state] = LOSSY
            waking.see_each_other()
            self.ring.wake_writer(self._place)

    def is_blocking(self) -> bool:
        return not self._is_lossy

    def close(self) -> None:
        """Leaves the stream: the writer does not wait for this reader any more. Done for a task when it returns; does
        nothing the second time."""
        if not self._has_left:
            self._has_left = True
            self.ring.leave(self._place)

    def _took(self, at: int, word: int) -> bool:
        """Gives the slot with this first word back, unless it was overwritten while it was being copied: then false."""
        words = self._words
        length = words[word + META_LENGTH]
        said = at, words[word + TIME], self._meta(word, length) if length else None
        if self._weak:
            waking.keep_order()
        self._looking_at = -1
        if words[word] != at + 1:
            self._was_torn(at)
            return False
        self._said = said
        self._next = at = at + 1
        if self._holds:
            self._give_back()
            return True
        words[self._tail] = at
        if words[self._wake_at] <= at:
            self.ring.wake_writer(self._place)
        return True

    def _tell(self, at: int, word: int) -> None:
        length = self._words[word + META_LENGTH]
        self._said = at, self._words[word + TIME], self._meta(word, length) if length else None

    def _meta(self, word: int, length: int) -> dict[str, Any]:
        spec = self.ring.spec
        start = spec.meta_offset + (word - spec.slot_words) // SLOT_WORDS * META_BYTES
        try:
            return _decode(self.ring.segment.memory[start : start + min(length, META_BYTES)])
        except msgspec.DecodeError:  # it is being overwritten, which is found out later
            return {}

    def _go_on(self, to: int) -> None:
        self._next = to
        if self._weak:
            waking.keep_order()
        if self._holds:
            self._give_back()
            return
        self._words[self._tail] = to
        if self._words[self._wake_at] <= to:
            self.ring.wake_writer(self._place)

    def _let_go(self, at: int) -> None:
        with suppress(ValueError):  # the ring was closed
            self._held.discard(at)
            self._give_back()

    def _give_back(self) -> None:
        """All frames below the oldest that is held. Another may be let go of right in between, in this thread too."""
        with self._giving:
            if self._has_left:
                return
            if self._weak:
                waking.keep_order()
            tail = -1
            while tail != (oldest := min(list(self._held), default=self._next)):
                self._words[self._tail] = tail = oldest
        if self._words[self._wake_at] <= tail:
            self.ring.wake_writer(self._place)

    def _check(self, out: Any) -> None:
        if not isinstance(out, np.ndarray):
            raise TypeError(f"The stream {self.name!r} is read into an array, not {type(out).__name__}.")
        self.ring.spec.check_fits(out)
