"""The end of a ring that writes."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from time import perf_counter_ns, time_ns
from typing import Any

import msgspec
import numpy as np

from cortex.shm import layout, waking
from cortex.shm.errors import NothingPendingError
from cortex.shm.layout import (
    ASLEEP,
    BLOCKING,
    CACHED_BYTES,
    HEAD,
    LOSSY,
    META_BYTES,
    META_LENGTH,
    SLOT_WORDS,
    TAIL,
    TIME,
)
from cortex.shm.patience import Patience
from cortex.shm.reuse import Reuse
from cortex.shm.ring import Ring, slots_of

_encode = msgspec.msgpack.Encoder().encode

_AT_ONCE_BYTES = 256 * 1024
"""A writer that found the ring full is woken when so much of it is free, or half of it."""

_EASE_NS = 300_000
"""How long a writer that may wait lets readers catch up when more is unread than a cache keeps."""

_STREAMED_BYTES = 2**20
"""Copies of more may go past the processor's caches, and then in another order than other stores."""

_NAP_S = 0.005
"""The longest sleep of one who wants more than a frame's room at once: his reader may wait for him meanwhile."""

_ARRAY = np.ndarray


class Writer:
    """Writes the frames of a stream; what a task gets for each name in its `writes`.

    `timeout` says how many seconds to wait for room: 0 does not wait, None waits without limit. To wait costs no
    processor time.
    """

    def __init__(self, ring: Ring) -> None:
        self.ring = self.raw = ring
        self.name = ring.spec.name
        self.shape = ring.spec.shape
        self.dtype = ring.spec.dtype
        self.frame_nbytes = ring.spec.frame_nbytes
        self._words = ring.words
        self._lie = slots_of(ring, writable=True)
        self._slots = ring.spec.slots
        self._slot_words = ring.spec.slot_words
        self._head: int = ring.words[HEAD]
        self._readers = [ring.spec.reader_words(reader) for reader in range(ring.spec.readers)]
        self._limit = 0
        self._has_meta = self._head > 0
        self._is_looking = False
        self._reuse = Reuse(ring) if ring.spec.reuses else None
        self._slot = -1
        self._has_lossy = False
        self._soft = max(CACHED_BYTES // ring.spec.stride, 2)
        self._weak = not waking.STORES_STAY_IN_ORDER or ring.spec.stride > _STREAMED_BYTES
        self._is_plain = not (self._has_meta or self._weak or self._reuse)
        """Whether a frame has nothing but its number and time to be written down."""
        self._at_once = max(1, min(self._slots // 2, _AT_ONCE_BYTES // ring.spec.stride))
        self._nap_s = _NAP_S if self._at_once > 1 else math.inf

    @property
    def sequence(self) -> int:
        """The number of the next frame, from 0 on."""
        return self._head

    def write(
        self, array: np.ndarray[Any, Any], timeout: float | None = 0.0, *, meta: Mapping[str, Any] | None = None
    ) -> bool:
        """Copies a frame into the ring and publishes it; false when there was no room in time. `meta`: a small mapping
        that goes with it (plain values, 256 bytes as MessagePack). Raises `ValueError` for another shape or dtype, and
        for metadata that does not fit."""
        if type(array) is not _ARRAY or array.dtype != self.dtype or array.shape != self.shape:
            array = self._checked(array)
        if not self._is_plain or meta is not None:
            return self._write(array, timeout, meta)
        head = self._head
        if head >= self._limit and not self._has_room(timeout):
            return False
        frame, at, _ = self._lie[head % self._slots]
        words = self._words
        words[at] = 0
        frame[...] = array
        words[at + TIME] = time_ns()
        words[at] = self._head = head = head + 1
        words[HEAD] = head  # last: who is interrupted before has published nothing, and writes no number twice
        if words[ASLEEP]:
            self.ring.wake_readers()
        return True

    def _write(self, array: np.ndarray[Any, Any], timeout: float | None, meta: Mapping[str, Any] | None) -> bool:
        packed = None if meta is None else self._packed(meta)
        if (slot := self._next_slot(timeout)) < 0:
            return False
        frame, at, _ = self._lie[slot]
        self._words[at] = 0
        if self._weak:
            waking.keep_order()
        frame[...] = array
        self._publish(slot, packed)
        return True

    def look(self, timeout: float | None = 0.0) -> memoryview | None:
        """The next slot, to be filled in place and then published by `increment`; None when there was no room in
        time. Until then it can be asked for again."""
        if (slot := self._next_slot(timeout)) < 0:
            return None
        _, at, view = self._lie[slot]
        self._words[at] = 0
        self._is_looking, self._is_plain = True, False
        return view[:]

    def increment(self, *, meta: Mapping[str, Any] | None = None) -> None:
        """Publishes what was filled into the view of `look`. Raises `NothingPendingError` when that was not called."""
        if not self._is_looking:
            raise NothingPendingError(f"The stream {self.name!r} has no frame prepared: call look() and fill it first.")
        self._publish(self._next_slot(0.0), None if meta is None else self._packed(meta))

    def end(self) -> None:
        """Says that nothing more comes. Done for a task when it returns."""
        self.ring.end()

    def _publish(self, slot: int, packed: bytes | None) -> None:
        words = self._words
        at = self._slot_words + slot * SLOT_WORDS
        words[at + TIME] = time_ns()
        if packed is not None or self._has_meta:
            self._put_meta(slot, packed or b"")
        if self._reuse is not None:
            self._reuse.note(self._head, slot)
            self._slot = -1
        if self._weak:
            waking.keep_order()
        self._is_looking = False
        self._is_plain = not (self._has_meta or self._weak or self._reuse)
        words[at] = self._head = head = self._head + 1
        words[HEAD] = head
        if words[ASLEEP]:
            self.ring.wake_readers()

    def _put_meta(self, slot: int, packed: bytes) -> None:
        self._has_meta = True
        start = self.ring.spec.meta_offset + slot * META_BYTES
        self.ring.segment.memory[start : start + len(packed)] = packed
        self._words[self._slot_words + slot * SLOT_WORDS + META_LENGTH] = len(packed)

    def _packed(self, meta: Mapping[str, Any]) -> bytes:
        try:
            if not all(isinstance(key, str) for key in meta):
                raise TypeError("its keys are text")
            packed = _encode(dict(meta))
        except (TypeError, OverflowError) as error:
            raise ValueError(f"Metadata of the stream {self.name!r} must be plain values: {error}") from error
        if len(packed) > META_BYTES:
            raise ValueError(
                f"Metadata of the stream {self.name!r} takes {len(packed)} bytes; {META_BYTES} are the most."
            )
        return packed

    def _checked(self, array: Any) -> np.ndarray[Any, Any]:
        frame = np.asarray(array)
        self.ring.spec.check_fits(frame)
        return frame

    def _next_slot(self, timeout: float | None) -> int:
        """The slot for the next frame, the same until that is published; -1 when there was no room in time."""
        if self._reuse is None:
            has_room = self._head < self._limit or self._has_room(timeout)
            return self._head % self._slots if has_room else -1
        if self._slot < 0:
            if timeout != 0:
                self._ease()
            if self._look_for_room() or self._has_room(timeout):
                self._slot = self._reuse.take(self._limit - self._slots, last=not self._has_lossy)
        return self._slot

    def _ease(self) -> None:
        """Lets readers catch up a moment, so that what is on the way fits into the cache."""
        if self._head - self._slowest()[0] < self._soft:
            return
        end = perf_counter_ns() + _EASE_NS
        while perf_counter_ns() < end:
            os.sched_yield()
            if self._head - self._slowest()[0] < self._soft:
                return

    def _has_room(self, timeout: float | None) -> bool:
        if self._look_for_room():
            return True
        self._words[layout.FULL_WAITS] += 1
        self.ring.drop_dead_readers()
        return (timeout != 0 and self._wait(Patience(timeout))) or self._look_for_room()

    def _look_for_room(self) -> bool:
        """Finds out how far the slowest reader is that holds the writer back."""
        self._limit = self._slowest()[0] + self._slots
        return self._head < self._limit

    def _slowest(self) -> tuple[int, int]:
        """Its tail and first word; the head when there is none."""
        words, slowest, base = self._words, self._head, -1
        self._has_lossy = False
        for at in self._readers:
            state = words[at + layout.STATE]
            if state == BLOCKING and (tail := words[at + TAIL]) <= slowest:
                slowest, base = tail, at
            elif state == LOSSY:
                self._has_lossy = True
        return slowest, base

    def _wait(self, patience: Patience) -> bool:
        if patience.spin(self._look_for_room):
            return True
        while True:
            tail, base = self._slowest()
            if base < 0 or self._head < tail + self._slots:
                return self._look_for_room()
            seconds = patience.next_sleep()
            if seconds <= 0:
                return False
            bell = base + layout.DONE_WAITING
            rung = self._words[bell]
            self._words[base + layout.WAKE_AT] = tail + self._at_once
            waking.see_each_other()
            if self._words[base + TAIL] == tail and self._words[base + layout.STATE] == BLOCKING:
                waking.sleep_while(self.ring.address(bell), rung, min(seconds, self._nap_s))
            self._words[base + layout.WAKE_AT] = layout.NEVER
            self.ring.drop_dead_readers()
