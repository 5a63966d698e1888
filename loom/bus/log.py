"""The log: the newest events, numbered, with their JSON once somebody has asked for it."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from loom.bus.encoding import MAX_TEXT, event_json
from loom.bus.filter import EVERYTHING, Filter
from loom.bus.sequence import SequenceStore
from loom.events import Event, NodeEvent, RunHead

CAPACITY = 100_000
BLOCK = 1_000_000
"""Numbers reserved at once: one write for so many events, and the most that a crash leaves out."""

MOST_LOOKED_AT = 4096
"""Events that one `read` looks at: it holds up those who publish."""

MOST_WORDS = 64 * 1024 * 1024
"""Bytes that the messages of failures may take, once as they came and once as JSON. All else is small."""


class Read(NamedTuple):
    """Frames, and the number up to which the log was read for them."""

    frames: tuple[bytes, ...]
    upto: int


class Log:
    """A ring of the last `capacity` events, fewer when their messages take more than `most_words` bytes. Not safe for
    threads: the hub holds its lock around every call."""

    def __init__(self, sequence: SequenceStore, capacity: int = CAPACITY, most_words: int = MOST_WORDS) -> None:
        self._sequence = sequence
        self._capacity = capacity
        self._most_words = most_words
        self._runs: list[RunHead | None] = [None] * capacity
        self._events: list[Event | None] = [None] * capacity
        self._json: list[bytes | None] = [None] * capacity
        self._wordy: deque[tuple[int, int]] = deque()
        """Events with a message, and how many bytes those take."""
        self._words = 0
        self._reserved = self._last = self._begin = sequence.load()

    @property
    def last(self) -> int:
        """The number of the newest event ever; 0 when there was none."""
        return self._last

    @property
    def first(self) -> int:
        """The number of the oldest event that can still be had, or that of the next one."""
        return max(self._begin, self._last - self._capacity) + 1

    def reserve(self, count: int) -> None:
        """Makes sure that the next `count` events can be numbered. Raises what the sequence store raises."""
        if self._last + count <= self._reserved:
            return
        start = self._sequence.reserve(self._reserved, count + BLOCK)
        if start > self._reserved:  # another process has numbered events meanwhile: there is a gap before ours
            self._begin = self._last = start
        self._reserved = start + count + BLOCK

    def append(self, run: RunHead, events: Sequence[Event]) -> int:
        """Numbers the events; returns the number of the last one. Raises what the sequence store raises."""
        self.reserve(len(events))
        before, self._last = self._last, self._last + len(events)
        kept = events[-self._capacity :]
        begin = (self._last - len(kept) + 1) % self._capacity
        upto_edge = self._capacity - begin
        self._put(begin, run, kept[:upto_edge])
        self._put(0, run, kept[upto_edge:])
        if "FAILED" in {event.status for event in kept}:
            self._weigh(before, self._last)
        return self._last

    def read(self, after: int, wanted: Filter, limit_bytes: int) -> Read:
        """The wanted events after number `after` (at least `first - 1`), at most `limit_bytes` of JSON and one
        event more."""
        frames: list[bytes] = []
        size = 0
        every = wanted == EVERYTHING
        runs, events, texts, capacity = self._runs, self._events, self._json, self._capacity
        end = min(self._last, after + MOST_LOOKED_AT)
        seq = after
        while seq < end and size < limit_bytes:
            seq += 1
            slot = seq % capacity
            run, event = runs[slot], events[slot]
            assert run is not None
            assert event is not None
            if every or wanted.wants(run, event):
                text = texts[slot]
                if text is None:
                    text = texts[slot] = event_json(seq, run, event)
                frames.append(text)
                size += len(text)
        return Read(tuple(frames), seq)

    def look_back(self, before: int, wanted: Filter, limit: int) -> Read:
        """The newest `limit` wanted events before number `before`, the newest first; they were looked for down to
        number `upto`, at most `MOST_LOOKED_AT` at a time."""
        frames: list[bytes] = []
        end = max(self.first, before - MOST_LOOKED_AT)
        seq = min(before, self._last + 1)
        while seq > end and len(frames) < limit:
            seq -= 1
            slot = seq % self._capacity
            run, event = self._runs[slot], self._events[slot]
            assert run is not None
            assert event is not None
            if wanted.wants(run, event):
                text = self._json[slot]
                if text is None:
                    text = self._json[slot] = event_json(seq, run, event)
                frames.append(text)
        return Read(tuple(frames), seq)

    def before(self, seq: int, run: UUID) -> tuple[list[Event], int]:
        """The events of a run before number `seq`, the newest first, and the number down to which they were looked for:
        `MOST_LOOKED_AT` at a time."""
        begin = max(self.first, seq - MOST_LOOKED_AT)
        slots = [number % self._capacity for number in range(seq - 1, begin - 1, -1)]
        mine = [self._events[slot] for slot in slots if (head := self._runs[slot]) is not None and head.uuid == run]
        return [event for event in mine if event is not None], begin

    def all(self) -> list[tuple[RunHead, Event]]:
        """The events that can still be had, the oldest first."""
        found = []
        for seq in range(self.first, self._last + 1):
            run, event = self._runs[seq % self._capacity], self._events[seq % self._capacity]
            assert run is not None
            assert event is not None
            found.append((run, event))
        return found

    def prepend(self, last: int, former: Sequence[tuple[RunHead, Event]]) -> None:
        """Puts events of a former process, the last of them numbered `last`, before those of this one, as far as there
        is room. Those that something lies between are of no use."""
        if last != self._begin:
            return
        begin = max(last - len(former), self._last - self._capacity)
        for seq in range(last, begin, -1):
            run, event = former[seq - last - 1]
            slot = seq % self._capacity
            self._runs[slot], self._events[slot], self._json[slot] = run, event, None
            if type(event) is NodeEvent and event.error is not None:
                self._wordy.appendleft((seq, size := 2 * sys.getsizeof(event.error[1])))
                self._words += size
        self._begin = min(begin, last)
        self._let_go(self._last)

    def close(self) -> None:
        """Gives back the numbers that were reserved and not used, so that the next process goes on without a hole."""
        if self._reserved != self._last:
            self._sequence.give_back(self._reserved, self._last)
            self._reserved = self._last

    def _put(self, begin: int, run: RunHead, events: Sequence[Event]) -> None:
        """Into slots that follow each other: in slices, since every event of every run comes by here."""
        count = len(events)
        end = begin + count
        self._runs[begin:end] = [run] * count
        self._events[begin:end] = events
        self._json[begin:end] = [None] * count

    def _weigh(self, after: int, last: int) -> None:
        """Cuts the messages of new events, and lets go of the oldest events when all messages take too much room."""
        for seq in range(max(after, last - self._capacity) + 1, last + 1):
            event = self._events[seq % self._capacity]
            if type(event) is not NodeEvent or event.error is None:
                continue
            code, message = event.error
            if len(message) > MAX_TEXT:
                cut = msgspec.structs.replace(event, error=(code, message[:MAX_TEXT]))
                self._events[seq % self._capacity] = cut
            size = 2 * sys.getsizeof(message[:MAX_TEXT])
            self._wordy.append((seq, size))
            self._words += size
        self._let_go(last)

    def _let_go(self, last: int) -> None:
        begin = max(self._begin, last - self._capacity)
        while self._wordy and (self._words > self._most_words or self._wordy[0][0] <= begin):
            seq, size = self._wordy.popleft()
            self._words -= size
            if seq > begin:
                for gone in range(begin + 1, seq + 1):
                    slot = gone % self._capacity
                    self._runs[slot] = self._events[slot] = self._json[slot] = None
                begin = seq
        self._begin = max(self._begin, begin)
