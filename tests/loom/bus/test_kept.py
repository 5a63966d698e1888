"""What one process has told, the next one still knows: nearly all of it when the process was killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import until

from loom.bus.filter import Filter
from loom.bus.hub import Hub
from loom.bus.kept import KeptEvents
from loom.bus.log import MOST_LOOKED_AT, Log, Numbered
from loom.bus.sequence import MemorySequence, StoredSequence
from loom.events import AssetEvent, NodeEvent, RunEvent
from loom.model import AssetCounts, Origin, Reason, State
from loom.store.database import Database

ALL = 1 << 30


def taken(hub, after=0):
    found = []
    with hub.subscribe(after=after) as subscription:
        while subscription.has_news:
            found += [json.loads(frame) for piece in subscription.take(ALL) for frame in piece.frames]
    return found


def told(frames):
    return [(one["from"], one["to"]) if one["type"] == "gap" else one["seq"] for one in frames]


def numbered(run, events, first=1):
    return [Numbered(seq, run, event) for seq, event in enumerate(events, first)]


class Folder:
    """A folder with kept events, and the processes that follow each other over it."""

    def __init__(self, path: Path) -> None:
        self.path = path / "events"
        self.sequence = MemorySequence()
        self._opened: list[Hub] = []

    def hub(self, **more) -> Hub:
        self._opened.append(Hub(self.sequence, kept=KeptEvents(self.path, **more)))
        return self._opened[-1]

    def load(self):
        return KeptEvents(self.path).load()

    def close(self) -> None:
        for hub in self._opened:
            hub.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path)
    yield folder
    folder.close()


def test_every_kind_of_event_comes_back_as_it_was(folder, run):
    events = [
        RunEvent(1, "STARTED", AssetCounts(seen=3)),
        NodeEvent(2, "thumbnail", b"a" * 16, "FAILED", error=("FILE_DAMAGED", "broken"), attempts=2, handled=True),
        AssetEvent(3, b"a" * 16, "FAILED", (("thumbnail", State.SKIPPED, Reason.STORED, Origin.REMOTE),)),
    ]
    hub = folder.hub()
    taken(hub)
    hub.publish(run, events)
    hub.close()
    assert folder.load() == numbered(run, events)


def test_a_listener_goes_on_where_it_was(folder, run, events):
    first = folder.hub()
    first.publish(run, events(5))
    before = taken(first)
    first.close()
    second = folder.hub()
    second.publish(run, events(2))
    assert taken(second)[:5] == before
    assert told(taken(second, after=3)) == [4, 5, 6, 7]
    second.close()
    assert told(taken(folder.hub())) == list(range(1, 8))


def test_what_nobody_listened_to_is_not_kept(folder, run, events, tmp_path):
    hub = folder.hub()
    hub.publish(run, events(5))
    hub.close()
    assert list(tmp_path.iterdir()) == []


def test_what_was_told_while_nobody_listened_is_a_gap_in_the_midst_of_the_others(folder, run, events):
    for count, is_heard in ((5, True), (3, False), (2, True)):
        hub = folder.hub()
        hub.publish(run, events(count))
        if is_heard:
            taken(hub)
        hub.close()
    last = folder.hub()
    assert told(taken(last)) == [1, 2, 3, 4, 5, (6, 8), 9, 10]
    assert told(taken(last, after=6)) == [(7, 8), 9, 10]
    assert [json.loads(frame)["seq"] for frame in last.look_back(Filter(runs=frozenset({run.uuid})), 9).frames] == [
        10, 9, 5, 4, 3, 2, 1
    ]  # fmt: skip


def test_a_kill_loses_nothing_that_was_kept_and_few_numbers(tmp_path, project, run):
    """The process that is killed says how far it has come when its events lie in the file."""
    code = """
import sys, time
from pathlib import Path
from uuid import UUID
from loom.bus.hub import Hub
from loom.bus.kept import KeptEvents
from loom.bus.sequence import StoredSequence
from loom.events import NodeEvent, RunHead
from loom.store.database import Database
folder = Path(sys.argv[1])
sequence = StoredSequence(Database.open(f"sqlite:///{folder}/loom.db"), folder / "numbers")
hub = Hub(sequence, kept=KeptEvents(folder / "events", every_s=0.01))
hub.publish(RunHead(UUID(int=7), "photos", False), [NodeEvent(1, "n", bytes(32), "SKIPPED")] * 1500)
hub.subscribe()
while hub._kept._upto < 1500 or not hub._kept._size:
    time.sleep(0.01)
print("kept", flush=True)
sys.stdin.read()
"""
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=project, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"kept\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    database = Database.open(f"sqlite:///{tmp_path}/loom.db")
    hub = Hub(StoredSequence(database, tmp_path / "numbers"), kept=KeptEvents(tmp_path / "events"))
    hub.publish(run, [NodeEvent(2, "n", bytes(32), "SKIPPED")])
    *former, gap, new = told(taken(hub, after=1000))
    hub.close()
    database.close()
    assert former == list(range(1001, 1501))
    assert gap == (1501, new - 1)
    assert new <= 1500 + 1001, "no more numbers are left out than were marked as given out"


def test_events_are_kept_while_they_come(folder, run, events):
    hub = folder.hub(every_s=0.01)
    taken(hub)
    hub.publish(run, events(MOST_LOOKED_AT + 5))
    until(lambda: len(folder.load()) == MOST_LOOKED_AT + 5)


@pytest.mark.parametrize("cut", [1, 7, 30])
def test_of_a_batch_that_was_not_written_whole_nothing_is_taken_and_the_file_goes_on_before_it(
    folder, run, events, cut
):
    first = folder.hub(every_s=0.01)
    taken(first)
    first.publish(run, events(3))
    until(lambda: len(folder.load()) == 3)
    first.publish(run, events(2))
    first.close()
    os.truncate(folder.path, folder.path.stat().st_size - cut)
    second = folder.hub()
    second.publish(run, events(1))
    assert told(taken(second)) == [1, 2, 3, (4, 5), 6]
    second.close()
    assert [one.seq for one in folder.load()] == [1, 2, 3, 6]


@pytest.mark.parametrize(
    "damage", [b"", b"\x00", b"\x81\xa4last\x01", b"loom events 2\n\xff\xff", b"loom events 2\n" + bytes(64)]
)
def test_a_damaged_file_is_no_harm(folder, run, events, damage):
    folder.path.write_bytes(damage)
    hub = folder.hub()
    hub.publish(run, events(1))
    assert told(taken(hub)) == [1]
    hub.close()
    assert [one.seq for one in folder.load()] == [1]


def test_the_files_do_not_grow_without_end(folder, run, events, tmp_path):
    hub = folder.hub(most=10)
    taken(hub)
    for _ in range(5):
        hub.publish(run, events(6))
        hub._kept._keep()
    hub.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events", "events.old"]
    assert [one.seq for one in folder.load()] == list(range(13, 31))
    assert told(taken(folder.hub())) == [(1, 12), *range(13, 31)]


def test_without_room_on_the_disk_listeners_hear_all_the_same(tmp_path, run, events):
    hub = Hub(kept=KeptEvents(tmp_path / "none" / "events"))
    hub.publish(run, events(3))
    assert told(taken(hub)) == [1, 2, 3]
    hub.close()


@pytest.mark.parametrize("own", [0, 3, 8, 12])
def test_only_as_many_as_there_is_room_for(run, events, own):
    log = Log(MemorySequence(6), capacity=10)
    log.append(run, events(own))
    log.prepend(numbered(run, events(6)))
    first = max(1, 6 + own - 10 + 1)
    assert (log.first, log.last) == (first, 6 + own)
    assert [one.seq for one in log.after(0)] == list(range(first, 6 + own + 1))


def test_messages_of_former_events_count_as_others_do(run, events):
    log = Log(MemorySequence(3), most_words=3000)
    log.append(run, events(1))
    failed = [NodeEvent(1, "n", b"a" * 16, "FAILED", error=("X", letter * 500)) for letter in "abc"]
    log.prepend(numbered(run, failed))
    assert (log.first, log.last) == (2, 4), "the oldest fell out"
