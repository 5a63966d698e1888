from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingests import Faulty, loom_in
from ledgers import HOST, closing, digest, done, found, opening, report

from cortex.engine import patience
from cortex.engine.patience import Patient
from cortex.engine.spool import Spool
from loom.errors import LoomError
from loom.model import KnownAsset, RunState

AWAY = LoomError("LOOM_UNREACHABLE")
VERBS = ("open_run", "report", "finish_run", "lookup", "known_files", "known_sizes", "mark_missing", "publish")


class Line:
    """A real Loom behind a line that can be cut."""

    def __init__(self, loom: Any, spool: Spool) -> None:
        self.faulty = Faulty(loom)
        self.patient = Patient(self.faulty, spool)

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
    made = opening(version=0, definition={"name": "photos"})
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
        line.patient.wait_and_flush(0.0)
    line.patient.wait_and_flush(30.0, sleep=lambda _: line.mend())
    assert spool.empty


def test_all_other_verbs_are_looms_own(line: Line) -> None:
    assert [pipeline.name for pipeline in line.patient.pipelines().items] == ["ingest"]
