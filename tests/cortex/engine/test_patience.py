from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from ingests import Faulty, loom_in
from ledgers import HOST, closing, definition, digest, done, found, opening, report

from cortex.engine import patience
from cortex.engine.patience import Patient
from cortex.engine.refused import reasons
from cortex.engine.spool import Spool
from loom.errors import LoomError
from loom.events import AssetEvent, NodeEvent, RunEvent, RunHead
from loom.model import Action, AssetCounts, KnownAsset, Origin, Reason, RunState, State

AWAY = LoomError("LOOM_UNREACHABLE")
VERBS = (
    "open_run",
    "report",
    "intend",
    "finish_run",
    "lookup",
    "known_files",
    "known_sizes",
    "mark_missing",
    "mark_present",
    "known_places",
    "publish",
)


class Line:
    """A real Loom behind a line that can be cut."""

    def __init__(self, loom: Any, spool: Spool) -> None:
        self.faulty = Faulty(loom)
        self.notes: list[str] = []
        self.patient = Patient(self.faulty, spool, self.notes.append, grace_s=30.0)

    def cut(self) -> None:
        self.faulty.faults.update(dict.fromkeys(VERBS, AWAY))

    def mend(self) -> None:
        self.faulty.faults.clear()


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REST_S", 0.0)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool", 100_000)
    yield spool
    spool.close()


@pytest.fixture
def line(tmp_path: Path, spool: Spool) -> Iterator[Line]:
    with loom_in(tmp_path / "data") as loom:
        yield Line(loom, spool)


def begin(line: Line) -> Any:
    made = opening(version=0, definition=definition())
    line.patient.open_run(made)
    return made.uuid


def test_what_cannot_be_told_waits_and_is_told_in_order(line: Line, spool: Spool) -> None:
    line.cut()
    run = begin(line)
    line.patient.report(run, [report("one", found(b"/m/one"), results=[done(0)])])
    line.patient.finish_run(closing(run))
    assert not spool.empty
    line.mend()
    line.patient.flush()
    assert spool.empty
    assert line.faulty.run(run).state is RunState.COMPLETED
    assert line.faulty.lookup([digest("one")], [done(0).signature])[0].results == (done(0),)


def test_the_next_word_carries_what_waited_before_it(line: Line, spool: Spool) -> None:
    run = begin(line)
    line.cut()
    line.patient.report(run, [report("one", found(b"/m/one"))])
    line.mend()
    line.patient.report(run, [report("two", found(b"/m/two"))])
    assert spool.empty
    told = [arguments[1][0].found[0].name for verb, arguments in line.faulty.said if verb == "report"]
    assert told[-2:] == [b"one", b"two"]


def test_questions_are_answered_with_nothing_known(line: Line) -> None:
    line.cut()
    assert line.patient.lookup([digest("one")], []) == [KnownAsset(False)]
    assert line.patient.known_files(HOST, [b"/m", b"/n"], b"p" * 32) == [[], []]
    assert line.patient.known_sizes([1, 2]) == {1, 2}, "a size that may be known is read with care"
    assert line.patient.mark_missing(HOST, [(b"/m", b"one")]) == 0
    assert line.patient.mark_present(HOST, [(b"/m", b"one")], 1) == 0
    assert line.patient.known_places(HOST, [(b"/m", b"one")]) == [False]


def test_loom_is_left_alone_for_a_while(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "REST_S", 60.0)
    line.cut()
    for _ in range(5):
        line.patient.known_sizes([1])
    begin(line)
    assert [verb for verb, _ in line.faulty.said] == ["known_sizes"]


def test_other_errors_are_raised(line: Line, spool: Spool) -> None:
    run = begin(line)
    line.faulty.faults["report"] = LoomError("DISK_FULL")
    with pytest.raises(LoomError, match="room"):
        line.patient.report(run, [report("one", found(b"/m/one"))])
    line.faulty.faults["lookup"] = LoomError("DATABASE_BUSY")
    with pytest.raises(LoomError, match="locked"):
        line.patient.lookup([], [])
    assert spool.empty


def test_it_waits_at_the_end_and_no_longer_than_it_may(line: Line, spool: Spool) -> None:
    run = begin(line)
    line.cut()
    line.patient.report(run, [report("one", found(b"/m/one"))])
    with pytest.raises(LoomError):
        Patient(line.faulty, spool, line.notes.append, grace_s=0.0).wait_and_flush()
    line.patient.wait_and_flush(sleep=lambda _: line.mend())
    assert spool.empty
    assert line.notes == []


def test_events_wait_among_the_results_and_are_told_before_the_end_of_their_run(line: Line, spool: Spool) -> None:
    run = begin(line)
    head = RunHead(run, "photos", False)
    line.cut()
    events = [
        NodeEvent(1, "small", digest("one"), "FAILED", error=("FILE_DAMAGED", "broken"), attempts=2),
        AssetEvent(2, digest("one"), "FAILED", (("small", State.SKIPPED, Reason.STORED, Origin.CACHED),)),
        RunEvent(3, "COMPLETED", AssetCounts(seen=1)),
    ]
    line.patient.publish(head, events[:1])
    line.patient.report(run, [report("one", found(b"/m/one"))])
    line.patient.publish(head, events[1:])
    line.patient.finish_run(closing(run))
    line.mend()
    line.faulty.said.clear()
    line.patient.flush()
    assert [verb for verb, _ in line.faulty.said] == ["publish", "report", "publish", "finish_run"]
    assert [arguments for verb, arguments in line.faulty.said if verb == "publish"] == [
        (head, events[:1]), (head, events[1:]),
    ]  # fmt: skip
    assert spool.empty


def test_events_that_were_given_up_are_told_in_a_note(
    line: Line, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cortex.engine.spool.MAX_EVENTS", 2)
    run = begin(line)
    line.cut()
    for second in range(3):
        line.patient.publish(RunHead(run, "photos", False), [RunEvent(second, "PAUSED")])
    line.mend()
    line.faulty.said.clear()
    line.patient.wait_and_flush()
    assert [arguments[1][0].time for _, arguments in line.faulty.said] == [1, 2]
    assert "1 events were given up" in line.notes[0]


def test_what_is_refused_is_set_aside_and_all_after_it_is_told(line: Line, spool: Spool) -> None:
    run = begin(line)
    line.cut()
    unknown = uuid4()
    line.patient.report(unknown, [report("one", found(b"/m/one"))])
    line.patient.report(unknown, [report("two", found(b"/m/two"))])
    line.patient.report(run, [report("three", found(b"/m/three"))])
    line.mend()
    with pytest.raises(LoomError) as raised:
        line.patient.flush()
    assert raised.value.code == "NOT_FOUND"
    assert spool.empty
    assert [reason.code for reason in reasons(spool.set_aside)] == ["NOT_FOUND"] * 2
    (note,) = line.notes
    assert "NOT_FOUND (2)" in note
    assert str(spool.set_aside) in note
    assert line.faulty.lookup([digest("three")], [])[0].known
    line.patient.flush()


def test_who_may_not_speak_loses_nothing(line: Line, spool: Spool) -> None:
    run = begin(line)
    line.cut()
    line.patient.report(run, [report("one", found(b"/m/one"))])
    for code in ("UNAUTHORIZED", "DISK_FULL", "DATABASE_OUTDATED"):
        line.faulty.faults["report"] = LoomError(code)
        with pytest.raises(LoomError) as raised:
            line.patient.flush()
        assert raised.value.code == code
    assert not spool.empty
    assert line.notes == []
    line.mend()
    line.patient.flush()


def test_it_knows_whether_all_was_stored(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(patience.time, "monotonic", lambda: now[0])
    run = begin(line)
    assert line.patient.acknowledged()
    line.cut()
    line.patient.publish(RunHead(run, "photos", False), [RunEvent(1, "PAUSED")])
    assert line.patient.acknowledged(), "events are not stored"
    line.patient.report(run, [report("one", found(b"/m/one"))])
    now[0] += 29.0
    assert not line.patient.acknowledged()
    now[0] += 1.0
    with pytest.raises(LoomError) as raised:
        line.patient.acknowledged()
    assert raised.value.code == "LOOM_UNREACHABLE"
    line.mend()
    assert line.patient.acknowledged(), "it tries for itself: there may be nobody else who has something to say"
    assert line.faulty.lookup([digest("one")], [])[0].known
    now[0] += 60.0
    line.cut()
    line.patient.report(run, [report("two", found(b"/m/two"))])
    assert not line.patient.acknowledged(), "the next time it is away it has its grace again"
    line.mend()
    line.patient.flush()


def test_all_other_verbs_are_looms_own(line: Line) -> None:
    assert [pipeline.name for pipeline in line.patient.pipelines().items] == ["ingest"]


def test_events_whose_answer_was_lost_are_told_again_under_their_name(line: Line, spool: Spool) -> None:
    """Also by another process, which finds them in the spool."""
    said: list[Any] = []
    away = False
    tell = line.faulty.publish

    def publish(head: Any, events: Any, *, said_as: Any) -> None:
        said.append(said_as)
        tell(head, events, said=said_as)
        if away:
            raise AWAY

    line.faulty.publish = lambda head, events, said: publish(head, events, said_as=said)  # type: ignore[attr-defined]
    head = RunHead(uuid4(), "p", False)
    line.patient.publish(head, [RunEvent(1, "STARTED")])
    away = True
    for time in (2, 3):
        line.patient.publish(head, [RunEvent(time, "PAUSED")])
    away = False
    Patient(line.faulty, spool, line.notes.append, grace_s=30.0).flush()
    assert [one.number for one in said] == [1, 2, 2, 2, 3]
    assert {one.by for one in said} == {said[0].by}


def test_what_is_about_to_be_done_waits_on_the_disk_and_is_told_before_it_is_done(line: Line, tmp_path: Path) -> None:
    line.cut()
    run = opening("photos", 0, definition=definition())
    ahead = Action(uuid4(), "copied", digest("a"), b"/a", b"/b", digest("a"), 1, 1)
    line.patient.open_run(run)
    line.patient.intend(run.uuid, [ahead])
    assert len(list((tmp_path / "spool").glob("*.msg"))) == 2
    line.mend()
    line.patient.report(run.uuid, [report("a", found(b"/a"), actions=(ahead,))])
    assert [verb for verb, _ in line.faulty.said][-3:] == ["open_run", "intend", "report"]
    assert [one.state for one in line.patient.actions(run=run.uuid).items] == ["DONE"]
