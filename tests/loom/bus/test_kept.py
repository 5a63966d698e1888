"""What one process has told, the next one still knows, if it ended in order."""

import json
from pathlib import Path

import pytest

from loom.bus.hub import Hub
from loom.bus.kept import KeptEvents
from loom.bus.log import Log
from loom.bus.sequence import MemorySequence
from loom.events import AssetEvent, NodeEvent, RunEvent
from loom.model import AssetCounts, Origin, Reason, State

ALL = 1 << 30


def taken(hub, after=0):
    with hub.subscribe(after=after) as subscription:
        return [json.loads(frame) for piece in subscription.take(ALL) for frame in piece.frames]


@pytest.fixture
def kept(tmp_path: Path) -> KeptEvents:
    return KeptEvents(tmp_path / "events")


def test_every_kind_of_event_comes_back_as_it_was(kept, run):
    events = [
        RunEvent(1, "STARTED", AssetCounts(seen=3)),
        NodeEvent(2, "thumbnail", b"a" * 16, "FAILED", error=("FILE_DAMAGED", "broken"), attempts=2, handled=True),
        AssetEvent(3, b"a" * 16, "FAILED", (("thumbnail", State.SKIPPED, Reason.STORED, Origin.REMOTE),)),
    ]
    kept.store(7, [(run, event) for event in events])
    assert kept.load() == (7, [(run, event) for event in events])


def test_a_listener_goes_on_where_it_was(kept, run, events):
    sequence = MemorySequence()
    first = Hub(sequence, kept=kept)
    first.publish(run, events(5))
    before = taken(first)
    first.close()
    second = Hub(sequence, kept=kept)
    second.publish(run, events(2))
    assert taken(second)[:5] == before
    assert [frame["seq"] for frame in taken(second, after=3)] == [4, 5, 6, 7]
    second.close()
    assert [frame["seq"] for frame in taken(Hub(sequence, kept=kept))] == list(range(1, 8))


def test_what_nobody_listened_to_is_not_kept(kept, run, events, tmp_path):
    hub = Hub(MemorySequence(), kept=kept)
    hub.publish(run, events(5))
    hub.close()
    assert list(tmp_path.iterdir()) == []


def test_after_a_crash_there_is_a_gap_and_nothing_wrong(kept, run, events):
    sequence = MemorySequence()
    first = Hub(sequence, kept=kept)
    first.publish(run, events(5))
    taken(first)
    first.close()
    Hub(sequence, kept=kept).publish(run, events(1))
    third = Hub(sequence, kept=kept)
    third.publish(run, events(1))
    gap, event = taken(third)
    assert (gap["type"], gap["from"]) == ("gap", 1)
    assert event["seq"] == gap["to"] + 1


@pytest.mark.parametrize("damage", [b"", b"\x00", b"\x81\xa4last\x01"])
def test_a_damaged_file_is_no_harm(kept, run, events, tmp_path, damage):
    (tmp_path / "events").write_bytes(damage)
    hub = Hub(MemorySequence(), kept=kept)
    hub.publish(run, events(1))
    assert [frame["seq"] for frame in taken(hub)] == [1]


@pytest.mark.parametrize("own", [0, 3, 8, 12])
def test_only_as_many_as_there_is_room_for(run, events, own):
    log = Log(MemorySequence(6), capacity=10)
    log.append(run, events(own))
    log.prepend(6, [(run, event) for event in events(6)])
    first = max(1, 6 + own - 10 + 1)
    assert (log.first, log.last) == (first, 6 + own)
    assert len(log.all()) == 6 + own - first + 1


def test_messages_of_former_events_count_as_others_do(run, events):
    log = Log(MemorySequence(3), most_words=3000)
    log.append(run, events(1))
    failed = [NodeEvent(1, "n", b"a" * 16, "FAILED", error=("X", letter * 500)) for letter in "abc"]
    log.prepend(3, [(run, event) for event in failed])
    assert (log.first, log.last) == (2, 4), "the oldest fell out"
