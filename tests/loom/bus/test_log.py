import json

import pytest
from msgspec.structs import replace

from loom.bus.encoding import MAX_TEXT
from loom.bus.filter import EVERYTHING, Filter
from loom.bus.log import BLOCK, MOST_LOOKED_AT, Log
from loom.bus.sequence import MemorySequence
from loom.events import NodeEvent

ALL = 1 << 30


def numbers(read):
    return [json.loads(frame)["seq"] for frame in read.frames]


def test_numbers_grow_by_one_and_the_oldest_fall_out(run, events):
    log = Log(MemorySequence(), capacity=10)
    assert (log.first, log.last) == (1, 0)
    assert log.append(run, events(4)) == 4
    assert log.append(run, events(9)) == 13
    assert (log.first, log.last) == (4, 13)
    assert numbers(log.read(3, EVERYTHING, ALL)) == list(range(4, 14))
    assert numbers(log.read(12, EVERYTHING, ALL)) == [13]
    assert log.read(13, EVERYTHING, ALL) == ((), 13)


@pytest.mark.parametrize("count", [1, 3, 7, 10, 11, 25])
def test_batches_of_any_length_stand_in_the_ring_as_they_came(run, events, count):
    log, other = Log(MemorySequence(), capacity=10), replace(run, pipeline="other")
    for first in range(4):
        log.append(other if first % 2 else run, events(count, node=f"n{first}", first=first * count))
    told = [json.loads(frame) for frame in log.read(log.first - 1, EVERYTHING, ALL).frames]
    came = [(seq, f"n{(seq - 1) // count}") for seq in range(1, 4 * count + 1)]
    assert [(one["seq"], one["node"]) for one in told] == came[-10:]
    assert {one["pipeline"] for one in told if one["node"] in ("n1", "n3")} <= {"other"}


def test_a_read_stops_at_its_limit_and_says_how_far_it_came(run, events):
    log = Log(MemorySequence())
    log.append(run, events(10))
    one = len(log.read(0, EVERYTHING, 1).frames[0])
    frames, upto = log.read(0, EVERYTHING, 3 * one)
    assert (len(frames), upto) == (3, 3)


def test_a_read_passes_over_what_is_not_wanted_but_not_without_end(run, events):
    log = Log(MemorySequence())
    log.append(run, events(MOST_LOOKED_AT, node="other") + events(2, node="mine"))
    mine = Filter(nodes=frozenset({"mine"}))
    assert log.read(0, mine, ALL) == ((), MOST_LOOKED_AT)
    assert numbers(log.read(MOST_LOOKED_AT, mine, ALL)) == [MOST_LOOKED_AT + 1, MOST_LOOKED_AT + 2]


def test_looking_back_begins_with_the_newest_and_ends_at_the_oldest(run, events):
    log = Log(MemorySequence(), capacity=8)
    log.append(run, events(6, node="mine") + events(3, node="other") + events(2, node="mine"))
    mine = Filter(nodes=frozenset({"mine"}))
    assert numbers(log.look_back(12, mine, 3)) == [11, 10, 6]
    assert log.look_back(12, mine, 3).upto == 6
    assert numbers(log.look_back(6, mine, 99)) == [5, 4]
    assert log.look_back(4, mine, 99) == ((), 4)
    assert log.look_back(2, EVERYTHING, 99).frames == ()
    assert numbers(log.look_back(99, EVERYTHING, 2)) == [11, 10]


def test_json_is_made_once(run, events):
    log = Log(MemorySequence(), capacity=10)
    log.append(run, events(1))
    assert log.read(0, EVERYTHING, ALL).frames[0] is log.read(0, EVERYTHING, ALL).frames[0]
    log.append(run, events(10, node="later"))
    assert json.loads(log.read(1, EVERYTHING, 1).frames[0])["node"] == "later", "not that of the event before it"


def test_after_a_clean_end_numbers_go_on_without_a_hole(run, events):
    store = MemorySequence()
    log = Log(store)
    log.append(run, events(5))
    log.close()
    again = Log(store)
    assert (again.first, again.last) == (6, 5)
    assert again.append(run, events(1)) == 6


def test_after_a_crash_numbers_go_on_beyond_all_that_may_have_been_given(run, events):
    store = MemorySequence()
    for _ in range(3):
        before = Log(store)
        last = before.append(run, events(5))
        assert store.load() >= last
        assert Log(store).append(run, events(1)) > last


def test_a_store_that_fails_gives_out_no_numbers(run, events):
    class Failing(MemorySequence):
        def reserve(self, after, count):
            raise OSError

    log = Log(Failing(3))
    for _ in range(2):
        try:
            log.append(run, events(1))
        except OSError:
            assert log.last == 3
        else:
            raise AssertionError("numbered without a reservation")


def test_numbers_that_others_reserved_meanwhile_are_a_gap(run, events):
    store = MemorySequence()
    log, other = Log(store), Log(store)
    log.append(run, events(2))
    assert other.append(run, events(1)) == BLOCK + 3
    log.reserve(BLOCK + 1)
    assert log.last == other.last + BLOCK
    assert log.first == log.last + 1
    assert log.append(run, events(1)) == log.first


def test_what_is_not_used_is_given_back_only_if_nobody_else_came(run, events):
    store = MemorySequence()
    log, other = Log(store), Log(store)
    log.append(run, events(1))
    last = other.append(run, events(1))
    log.close()
    assert store.load() > last
    other.close()
    assert store.load() == last


def test_long_messages_are_cut_and_the_oldest_go_before_they_fill_the_memory(run):
    def failure(message):
        return NodeEvent(1_000, "a", bytes(32), "FAILED", error=("TIMED_OUT", message))

    log = Log(MemorySequence(), capacity=1000, most_words=100_000)
    log.append(run, [failure("x" * 10 * MAX_TEXT)])
    (frame,) = log.read(0, EVERYTHING, ALL).frames
    assert len(json.loads(frame)["error"]["message"]) == MAX_TEXT
    log.append(run, [failure("x" * 4000) for _ in range(99)])
    assert 5 < log.last - log.first + 1 < 20
    assert sum(entry is not None for entry in log._events) == log.last - log.first + 1
    assert numbers(log.read(log.first - 1, EVERYTHING, ALL))[-1] == 100
    log.append(run, [NodeEvent(1_000, "a", bytes(32), "COMPLETED") for _ in range(2000)])
    log.append(run, [failure("short")])
    assert log.last - log.first + 1 == 1000, "messages that fell out of the ring weigh nothing"
