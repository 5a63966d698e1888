"""The log: the newest events, numbered, with their JSON once somebody has asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from loom.bus.encoding import event_json
from loom.bus.filter import EVERYTHING, Filter
from loom.bus.sequence import SequenceStore
from loom.model import Event, RunHead

CAPACITY = 100_000
BLOCK = 1_000_000
"""Numbers reserved at once: one write for so many events, and the most that a crash leaves out."""

MOST_LOOKED_AT = 4096
"""Events that one `read` looks at: it holds up those who publish."""


class Read(NamedTuple):
    """Frames, and the number up to which the log was read for them."""

    frames: tuple[bytes, ...]
    upto: int


class Log:
    """A ring of the last `capacity` events. Not safe for threads: the hub holds its lock around every call."""

    def __init__(self, sequence: SequenceStore, capacity: int = CAPACITY) -> None:
        self._sequence = sequence
        self._capacity = capacity
        self._events: list[tuple[RunHead, Event] | None] = [None] * capacity
        self._json: list[bytes | None] = [None] * capacity
        self._reserved = self._last = self._begin = sequence.load()

    @property
    def last(self) -> int:
        """The number of the newest event ever; 0 when there was none."""
        return self._last

    @property
    def first(self) -> int:
        """The number of the oldest event that can still be had, or that of the next one."""
        return max(self._begin, self._last - self._capacity) + 1

    def append(self, run: RunHead, events: Sequence[Event]) -> int:
        """Numbers the events; returns the number of the last one. Raises what the sequence store raises."""
        seq, capacity, slots, texts = self._last, self._capacity, self._events, self._json
        if seq + len(events) > self._reserved:
            upto = seq + len(events) + BLOCK
            self._sequence.reserve(upto)
            self._reserved = upto
        for event in events:
            seq += 1
            slot = seq % capacity
            slots[slot] = (run, event)
            texts[slot] = None
        self._last = seq
        return seq

    def read(self, after: int, wanted: Filter, limit_bytes: int) -> Read:
        """The wanted events after number `after` (at least `first - 1`), at most `limit_bytes` of JSON and one
        event more."""
        frames: list[bytes] = []
        size = 0
        every = wanted == EVERYTHING
        events, texts, capacity = self._events, self._json, self._capacity
        end = min(self._last, after + MOST_LOOKED_AT)
        seq = after
        while seq < end and size < limit_bytes:
            seq += 1
            slot = seq % capacity
            entry = events[slot]
            assert entry is not None
            if every or wanted.wants(*entry):
                text = texts[slot]
                if text is None:
                    text = texts[slot] = event_json(seq, *entry)
                frames.append(text)
                size += len(text)
        return Read(tuple(frames), seq)

    def close(self) -> None:
        """Gives back the numbers that were reserved and not used, so that the next process goes on without a hole."""
        if self._reserved != self._last:
            self._sequence.reserve(self._last)
            self._reserved = self._last
