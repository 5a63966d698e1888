import os
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from cortex.engine.refused import reasons
from cortex.engine.spool import Spool, Told, events_of, left_behind, new_spool, told_events
from loom.errors import LoomError
from loom.events import RunEvent, RunHead
from loom.model import AssetReport, FileStat, FoundAt, Kind
from loom.verbs import NewArtifact, Parts

RUN = uuid4()
REPORT = AssetReport(b"a" * 32, 3, "text/plain", Kind.TEXT, (FoundAt(b"/x", b"\xff.txt", FileStat(3, 1, 2, 3), True),))


def messages(count: int) -> list[Told]:
    return [Told(run=RUN, reports=[REPORT._replace(size=n)]) for n in range(count)]


def test_messages_are_sent_in_order_and_then_forgotten(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1_000_000)
    for told in messages(12):
        spool.put(told)
    sent: list[Told] = []
    spool.send(sent.append)
    assert [t.reports[0].size for t in sent if t.reports] == list(range(12))
    assert sent[0].reports == [REPORT._replace(size=0)]
    assert spool.empty
    spool.close()
    assert not (tmp_path / "spool").exists()


def test_what_cannot_be_sent_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1_000_000)
    for told in messages(3):
        spool.put(told)
    sent: list[Told] = []

    def tell(told: Told) -> None:
        if len(sent) == 1:
            raise LoomError("LOOM_UNREACHABLE")
        sent.append(told)

    with pytest.raises(LoomError):
        spool.send(tell)
    spool.close()
    again = Spool(tmp_path / "spool", 1_000_000)
    rest: list[Told] = []
    again.send(rest.append)
    assert [t.reports[0].size for t in rest if t.reports] == [1, 2]
    again.close()


def test_it_is_bounded(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1000)
    with pytest.raises(LoomError, match="1,000 bytes"):
        spool.put(Told(artifacts=[NewArtifact(b"d" * 32, "image/webp", bytes(2000))]))
    assert spool.empty
    spool.close()


def large_file(tmp_path: Path, data: bytes) -> NewArtifact:
    (path := tmp_path / "scratch").write_bytes(data)
    parts = Parts.whole(os.open(path, os.O_RDONLY))
    return NewArtifact(b"d" * 32, "video/mp4", b"", Parts(parts.file, ((4, len(data) - 4), (0, 4))))


def test_what_is_too_large_for_memory_lies_beside_its_message(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool = Spool(folder, 100_000)
    artifact = large_file(tmp_path, b"tailbytes of a film")
    spool.put(Told(artifacts=[NewArtifact(b"e" * 32, "image/webp", b"small"), artifact]))
    spool.put(messages(1)[0])
    spool.close()
    (folder / f"000000000009.{'00' * 32}.large").write_bytes(b"of a message that was never whole")
    again = Spool(folder, 100_000)
    assert len(list(folder.glob("*.large"))) == 1
    sent: list[bytes] = []
    again.send(lambda told: sent.extend(b"".join(one.pieces()) for one in told.artifacts or ()))
    assert sent == [b"small", b"bytes of a filmtail"]
    assert again.empty
    again.close()
    assert not folder.exists()


def test_it_counts_to_what_the_spool_may_hold(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1000)
    with pytest.raises(LoomError, match="1,000 bytes"):
        spool.put(Told(artifacts=[large_file(tmp_path, bytes(2000))]))
    assert not list((tmp_path / "spool").glob("*.large"))
    spool.close()


def paused(*seconds: int) -> Told:
    return told_events(RunHead(RUN, "photos", False), [RunEvent(second, "PAUSED") for second in seconds])


def waiting_in(spool: Spool) -> list[Told]:
    sent: list[Told] = []
    spool.send(sent.append)
    return sent


def test_events_make_room_for_results_and_for_newer_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.engine.spool.MAX_EVENTS", 3)
    spool = Spool(tmp_path / "spool", 1000)
    for told in (paused(1, 2), paused(3), paused(4, 5)):
        spool.put(told)
    assert (spool.lost_events, spool.only_events) == (2, True)
    spool.put(Told(artifacts=[NewArtifact(b"d" * 32, "image/webp", bytes(900))]))
    assert (spool.lost_events, spool.only_events) == (5, False)
    spool.put(paused(6))
    assert spool.lost_events == 6, "there is no room for it"
    assert [told.artifacts is not None for told in waiting_in(spool)] == [True]
    spool.close()


def test_events_are_counted_over_the_death_of_their_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cortex.engine.spool.MAX_EVENTS", 3)
    dead = Spool(tmp_path / "spool", 100_000)
    for told in (paused(1, 2), *messages(1), paused(3)):
        dead.put(told)
    dead.close()
    spool = Spool(tmp_path / "spool", 100_000)
    spool.put(paused(4))
    assert [[event.time for event in events_of(told)] for told in waiting_in(spool)] == [[], [3], [4]]
    spool.close()


def test_what_is_refused_or_damaged_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 100_000)
    for told in messages(4):
        spool.put(told)
    sorted((tmp_path / "spool").glob("*.msg"))[2].write_bytes(b"rot")
    sent: list[Told] = []

    def tell(told: Told) -> None:
        if not sent:
            sent.append(told)
            raise LoomError("BODY_TOO_LARGE", "it is too large")
        sent.append(told)

    assert [refusal.code for refusal in spool.send(tell)] == ["BODY_TOO_LARGE", "INTERNAL"]
    assert [told.reports[0].size for told in sent if told.reports] == [0, 1, 3]
    assert next(reason.message for reason in reasons(tmp_path / "refused")) == "it is too large"
    assert list(left_behind(tmp_path, 1000)) == []
    spool.close()


def test_a_message_that_was_half_written_is_none(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", 1000)
    (tmp_path / "spool" / "writing").write_bytes(b"half")
    assert spool.empty
    spool.close()
    assert not (tmp_path / "spool").exists()


def test_processes_may_come_and_go_in_one_room(tmp_path: Path) -> None:
    """Two make spools and leave them, two take over what is left; none of them trips over another."""
    ending = threading.Event()
    sent: list[Told] = []

    def make(number: int) -> int:
        made = 0
        while not ending.is_set():
            with closing(new_spool(tmp_path / "room", 100_000)) as spool:
                if made % 2:
                    spool.put(messages(1)[0])
                made += 1
        return made // 2

    def sweep(number: int) -> int:
        while not ending.is_set():
            for spool in left_behind(tmp_path / "room", 100_000):
                with closing(spool):
                    spool.send(sent.append)
        return 0

    with ThreadPoolExecutor(4) as pool:
        working = [pool.submit(work, number) for work in (make, sweep) for number in range(2)]
        wait(working, 1, FIRST_EXCEPTION)
        ending.set()
        made = sum(work.result() for work in working)
    for spool in left_behind(tmp_path / "room", 100_000):
        with closing(spool):
            spool.send(sent.append)
    assert made == len(sent) > 10
    assert list((tmp_path / "room").iterdir()) == []


def test_only_spools_of_dead_owners_are_taken_over(tmp_path: Path) -> None:
    mine = new_spool(tmp_path, 1000)
    mine.put(messages(1)[0])
    assert list(left_behind(tmp_path, 1000)) == []
    mine.close()
    (found,) = left_behind(tmp_path, 1000)
    assert not found.empty
    found.close()
