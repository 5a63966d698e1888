import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cortex.engine.summary import nothing_done
from cortex.engine.telling import Failure
from cortex.watching.guard import Waiting
from cortex.watching.telling import (
    RoundLines,
    RoundReporter,
    RoundsInWords,
    happened,
    in_a_line,
    tell_manager,
)


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, abstract: bool) -> None:
    address = f"@{tmp_path.name}-notify" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address.replace("@", "\0"))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        tell_manager("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_nobody_who_wants_to_know_is_no_harm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tell_manager("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    tell_manager("READY=1")


def test_a_round_in_which_nothing_happened() -> None:
    quiet: dict[str, Any] = {**nothing_done(), "pipeline": "ingest", "state": "COMPLETED"}
    assert not happened(quiet)
    assert happened({**quiet, "unreachable": ["/away"]})
    busy = {**quiet, "runs": ["r"], "assets": {**quiet["assets"], "seen": 5, "unchanged": 2, "new": 2, "failed": 1}}
    assert happened(busy)
    assert in_a_line(busy) == "ingest COMPLETED: 2 new, 1 failed, 3 files walked, 0 bytes in 0.0 s"


def test_a_round_that_leaves_no_record_is_told_when_a_file_was_walked(capsys: pytest.CaptureFixture[str]) -> None:
    nothing: dict[str, Any] = {**nothing_done(), "pipeline": "ingest", "state": "COMPLETED"}
    walked = {**nothing, "assets": {**nothing["assets"], "seen": 3, "unchanged": 1}}
    would = {"results": 4, "locations": 1, "artifacts": 0, "bytes": 2048, "effects": ["send a mail", "ring a bell"]}
    tried = {"dry_run": True, "would_write": would}
    assert [happened(one) for one in (nothing, walked, {**nothing, **tried}, {**walked, **tried})] == [0, 0, 0, 1]
    assert [happened(one, recorded=False) for one in (nothing, walked)] == [False, True]
    RoundsInWords().summary({**walked, **tried})
    assert capsys.readouterr().out.splitlines() == [
        "dry run of ingest COMPLETED: 2 files walked, 0 bytes in 0.0 s,"
        " would write 4 results, 1 location, 0 derived files (2.0 KB)",
        "  would send a mail",
        "  would ring a bell",
    ]


@pytest.mark.parametrize("reporter", [RoundLines(), RoundsInWords(quiet=True)])
def test_files_of_which_something_is_to_be_tried_again_are_known_until_the_next_round(reporter: RoundReporter) -> None:
    for path, code in (("/a", "FILE_DAMAGED"), ("/b", "EFFECT_FAILED"), ("/c", "FILE_UNREADABLE")):
        reporter.failure(Failure(None, path, "node", code, "broken"))
    assert reporter.again == {"/b", "/c"}
    reporter.begin(["ingest"], dry_run=False)
    assert reporter.again == set()


def test_what_is_said_in_round_after_round_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = RoundsInWords()
    for said in (["left out"], ["left out", "away"], ["left out"], [], ["left out"]):
        for note in said:
            reporter.note(note)
        reporter.summary({**nothing_done(), "pipeline": "ingest"})
    assert capsys.readouterr().err.splitlines() == ["left out", "away", "left out"]


def test_deletions_that_wait_are_a_line_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Said again in a later round when the guard says so."""
    waiting = Waiting(b"/media", 120, 1000, (b"/media/a/1.jpg", b"/media/b/2.jpg"), 0)
    lines, words = RoundLines(), RoundsInWords()
    for reporter in (lines, words):
        reporter.waiting(waiting)
        reporter.waiting(waiting)
    told = capsys.readouterr()
    assert told.err.splitlines() == [waiting.message] * 2
    first, second = map(json.loads, told.out.splitlines())
    assert first == second
    assert first == {
        "message_type": "note",
        "about": "deletions",
        "root": "/media",
        "gone": 120,
        "files": 1000,
        "names": ["a/1.jpg", "b/2.jpg"],
        "confirm": "cortex ingest /media",
        "message": waiting.message,
    }


@pytest.mark.parametrize("kind", [RoundLines, RoundsInWords])
def test_that_a_folder_is_away_is_said_once(
    kind: Callable[[], RoundReporter], capsys: pytest.CaptureFixture[str]
) -> None:
    reporter = kind()
    nothing: dict[str, Any] = {**nothing_done(), "pipeline": "ingest", "state": "COMPLETED"}
    for why in ("it is not there", "it is not there", "it is another"):
        reporter.failure(Failure(None, "/media/disk", None, "SOURCE_UNREACHABLE", why))
        reporter.summary(nothing)
    told = "".join(capsys.readouterr())
    assert (told.count("it is not there"), told.count("it is another")) == (1, 1)
