"""Which slot is written next in a ring that is larger than a processor's cache.

Taken in turn, every frame would be written into memory that fell out of the cache long ago. The slot that its last
reader gave back last is still in it. Readers find a frame by the word that says in which slot it lies.
"""

from __future__ import annotations

from collections import deque

from cortex.shm.layout import HEAD, ORDER, SEQUENCE, SLOT_WORDS
from cortex.shm.ring import Ring


class Reuse:
    """The free slots of a ring, as its writer knows them; found out anew by a writer that goes on for another."""

    def __init__(self, ring: Ring) -> None:
        self._words = ring.words
        self._slots = ring.spec.slots
        self._base = ring.spec.slot_words
        head = ring.words[HEAD]
        self._kept = max(head - self._slots, 0)
        """All frames below were given back."""
        taken = {self._slot_of(frame) for frame in range(self._kept, head) if self._lies_there(frame)}
        self._free = deque(slot for slot in range(self._slots) if slot not in taken)

    def take(self, slowest: int, *, last: bool) -> int:
        """A slot to write, when readers are through with all frames below `slowest` and at least one is free: the one
        that was given back last, or the one that was first."""
        for frame in range(self._kept, slowest):
            if self._lies_there(frame):
                self._free.append(self._slot_of(frame))
        self._kept = max(self._kept, slowest)  # a reader that joins may be seen further back for a moment
        return self._free.pop() if last else self._free.popleft()

    def note(self, frame: int, slot: int) -> None:
        """The frame lies in this slot."""
        self._words[self._base + frame % self._slots * SLOT_WORDS + ORDER] = slot

    def _slot_of(self, frame: int) -> int:
        return self._words[self._base + frame % self._slots * SLOT_WORDS + ORDER]

    def _lies_there(self, frame: int) -> bool:
        """Whether it is the last that was written into its slot."""
        return self._words[self._base + self._slot_of(frame) * SLOT_WORDS + SEQUENCE] == frame + 1
