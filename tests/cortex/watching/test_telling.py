import json
import socket
from pathlib import Path
from typing import Any

import pytest

from cortex.engine.summary import nothing_done
from cortex.watching.guard import Waiting
from cortex.watching.telling import RoundLines, RoundsInWords, happened, in_a_line, tell_manager


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
