"""Where a reader stands in a ring, and how it waits for the next frame."""

from __future__ import annotations

import time

from cortex.shm import layout, waking
from cortex.shm.errors import EndOfStream, ShmError
from cortex.shm.layout import ASLEEP, BROKEN, GOES_ON, HEAD, LOSSY, ORDER, RUNG, SLOT_WORDS, TAIL, WAKE_AT
from cortex.shm.patience import Patience
from cortex.shm.ring import Ring

_LOOK_FOR_WRITER_S = 0.2


class Standing:
    """Of the reader at a place of a ring. `latest`: of interest is the newest frame alone."""

    def __init__(self, ring: Ring, place: int, *, latest: bool) -> None:
        spec = ring.spec
        self.ring = self.raw = ring
        self.name = spec.name
        self.latest = latest
        self._words = ring.words
        self._slots = spec.slots
        self._reuses = spec.reuses
        self._slot_words = spec.slot_words
        self._place = place
        self._base = spec.reader_words(place)
        self._tail = self._base + TAIL
        self._wake_at = self._base + WAKE_AT
        self._next: int = ring.words[self._tail]
        self._seen = 0
        """How many frames were published when it was looked at last."""
        self._is_lossy = ring.words[self._base + layout.STATE] == LOSSY
        self._weak = not waking.STORES_STAY_IN_ORDER
        self._look_at = 0.0

    def _slot_of(self, at: int) -> int:
        turn = at % self._slots
        return self._words[self._slot_words + turn * SLOT_WORDS + ORDER] if self._reuses else turn

    def _await(self, timeout: float | None) -> int:
        """The number of the frame to be read next, -1 when there was none in time."""
        if not self._is_there() and not (timeout != 0 and self._wait(Patience(timeout))):
            self._look_for_end()
            if not self._is_there():
                return -1
        if self._is_lossy:
            self._catch_up()
        return self._next

    def _is_there(self) -> bool:
        self._seen = self._words[HEAD]
        if self._weak:
            waking.keep_order()
        return self._next < self._seen

    def _catch_up(self) -> None:
        """Leaves out what was overwritten, or, of interest in the latest frame alone, all but that."""
        behind = self._seen - self._next
        if self.latest:
            left = 1
        elif behind > self._slots or self._words[self._slot_words + self._slot_of(self._next) * SLOT_WORDS] == 0:
            left = max(self._slots // 2, 1)
        else:
            return
        if behind > left:
            self._words[self._base + layout.SKIPPED] += behind - left
            self._next = self._seen - left

    def _wait(self, patience: Patience) -> bool:
        if patience.spin(self._is_there):
            return True
        self._words[self._base + layout.EMPTY_WAITS] += 1
        while (seconds := patience.next_sleep()) > 0:
            rung = self._words[RUNG]
            self._words[ASLEEP] = 1
            waking.see_each_other()
            if self._is_there():
                return True
            self._look_for_end()
            waking.sleep_while(self.ring.address(RUNG), rung, seconds)
            if self._is_there():
                return True
        return False

    def _look_for_end(self) -> None:
        """Raises `EndOfStream` when nothing more comes."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_FOR_WRITER_S
            self.ring.end_if_abandoned()
        state = self._words[layout.ENDED]
        if state != GOES_ON and not self._is_there():
            raise EndOfStream(self.name, is_broken=state == BROKEN)

    def _was_torn(self, at: int) -> None:
        if not self._is_lossy:
            raise ShmError(f"Frame {at} of the stream {self.name!r} was overwritten: more than one process writes it.")
        self._words[self._base + layout.OVERWRITTEN] += 1
        self._next = at + 1
