"""The log: the newest events, numbered, with their JSON once somebody has asked for it."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import msgspec

from loom.bus.encoding import MAX_TEXT, event_json
from loom.bus.filter import EVERYTHING, Filter
from loom.bus.sequence import SequenceStore
from loom.events import Event, NodeEvent, RunHead

CAPACITY = 100_000
BLOCK = 1000
"""Numbers reserved at once, and the most that are left out when the process is killed."""

MOST_LOOKED_AT = 4096
"""Events that one `read` looks at: it holds up those who publish."""

MOST_WORDS = 64 * 1024 * 1024
"""Bytes that the messages of failures may take, once as they came and once as JSON. All else is small."""


class Read(NamedTuple):
    """Frames, and the number up to which the log was read for them."""

    frames: tuple[bytes, ...]
    upto: int


class Numbered(NamedTuple):
    """An event, and the run that it belongs to."""

    seq: int
    run: RunHead
    event: Event


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
        self._holes: list[range] = []
        """Numbers in the midst of others whose events were lost."""
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

    def following(self, number: int) -> int:
        """The number of the oldest event after that one that can still be had, or that of the next one."""
        seq = max(number + 1, self.first)
        for hole in self._holes:
            if seq in hole:
                seq = hole.stop
        return seq

    def read(self, after: int, wanted: Filter, limit_bytes: int) -> Read:
        """The wanted events after number `after` (which `following` has one for), at most `limit_bytes` of JSON and one
        event more, up to what cannot be had."""
        frames: list[bytes] = []
        size = 0
        end = self._upto(after)
        for seq, text in self._texts(range(after + 1, end + 1), wanted):
            frames.append(text)
            size += len(text)
            if size >= limit_bytes:
                return Read(tuple(frames), seq)
        return Read(tuple(frames), end)

    def look_back(self, before: int, wanted: Filter, limit: int) -> Read:
        """The newest `limit` wanted events before number `before`, the newest first; they were looked for down to
        number `upto`, at most `MOST_LOOKED_AT` at a time."""
        numbers = self._before(min(before, self._last + 1))
        found = list(islice(self._texts(numbers, wanted), limit))
        upto = found[-1][0] if len(found) == limit else numbers.stop + 1
        return Read(tuple(text for _, text in found), upto)

    def before(self, seq: int, run: UUID) -> tuple[list[Event], int]:
        """The events of a run before number `seq`, the newest first, and the number down to which they were looked for:
        `MOST_LOOKED_AT` at a time."""
        numbers = self._before(seq)
        return [event for _, head, event in self._walk(numbers) if head.uuid == run], numbers.stop + 1

    def after(self, seq: int) -> list[Numbered]:
        """The next events that can still be had and follow each other."""
        first = self.following(seq)
        return list(self._walk(range(first, self._upto(first - 1) + 1)))

    def _upto(self, after: int) -> int:
        """How far one goes in one go."""
        return min(self._last, after + MOST_LOOKED_AT, *(hole.start - 1 for hole in self._holes if hole.start > after))

    def _before(self, seq: int) -> range:
        """The numbers before that one, as far as they are looked at at once."""
        return range(seq - 1, max(self.first, seq - MOST_LOOKED_AT) - 1, -1)

    def _texts(self, numbers: range, wanted: Filter) -> Iterator[tuple[int, bytes]]:
        """Of those that are wanted the JSON, made once."""
        every = wanted == EVERYTHING
        texts, capacity = self._json, self._capacity
        for seq, run, event in self._walk(numbers):
            if every or wanted.wants(run, event):
                text = texts[seq % capacity]
                if text is None:
                    text = texts[seq % capacity] = event_json(seq, run, event)
                yield seq, text

    def _walk(self, numbers: range) -> Iterator[Numbered]:
        """The events with these numbers, all of which are, or were, in the ring."""
        runs, events, capacity = self._runs, self._events, self._capacity
        for seq in numbers:
            run, event = runs[seq % capacity], events[seq % capacity]
            if run is not None and event is not None:
                yield Numbered(seq, run, event)

    def prepend(self, former: Sequence[Numbered]) -> None:
        """Puts events of former processes, the oldest first, before those of this one, as far as there is room. What
        lies between them and was lost is a hole."""
        begin, oldest = self._begin, self._last - self._capacity
        for seq, run, event in reversed(former):
            if not oldest < seq <= begin:
                continue
            if seq < begin:
                self._make_hole(range(seq + 1, begin + 1))
            begin, slot = seq - 1, seq % self._capacity
            self._runs[slot], self._events[slot], self._json[slot] = run, event, None
            if type(event) is NodeEvent and event.error is not None:
                self._wordy.appendleft((seq, size := 2 * sys.getsizeof(event.error[1])))
                self._words += size
        self._begin = begin
        self._let_go(self._last)

    def _make_hole(self, numbers: range) -> None:
        self._holes.insert(0, numbers)
        for number in numbers:
            slot = number % self._capacity
            self._runs[slot] = self._events[slot] = self._json[slot] = None

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
