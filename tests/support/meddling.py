"""What can happen in between two steps of somebody who reads or writes shared memory."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

from cortex.shm.ring import Ring

_PATIENCE_S = 0.3


class Words:
    """The words of a ring, as they are for who uses them meanwhile: `act` happens once, right after the word `index`
    was read, or right before (or after) it is written."""

    def __init__(
        self,
        words: memoryview | Words,
        index: int,
        act: Callable[[], object],
        *,
        reading: bool = False,
        before: bool = False,
        value: int | None = None,
    ) -> None:
        self._words = words
        self._index = index
        self._act: Callable[[], object] | None = act
        self._reading = reading
        self._before = before
        self._value = value

    def __getitem__(self, index: int) -> int:
        found = self._words[index]
        if self._reading:
            self._meddle(index, found)
        return found

    def __setitem__(self, index: int, value: int) -> None:
        if self._before and not self._reading:
            self._meddle(index, value)
        self._words[index] = value
        if not self._before and not self._reading:
            self._meddle(index, value)

    def _meddle(self, index: int, value: int) -> None:
        act = self._act
        if act is not None and index == self._index and self._value in (None, value):
            self._act = None
            act()

    def release(self) -> None:
        self._words.release()


def same(ring: Ring) -> Ring:
    """The ring once more, as another user of the same memory in this process."""
    other = Ring.__new__(Ring)
    other._open(ring.spec, ring.supervised, ring.segment)
    return other


def meanwhile(act: Callable[[], object]) -> Thread:
    """Has another thread do something and waits until it is done, or waits for its turn."""
    thread = Thread(target=act, daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)
    return thread
