from pathlib import Path

import pytest

from cortex.engine import refused
from cortex.engine.refused import reasons, set_aside
from loom.errors import LoomError


def codes(folder: Path) -> list[str]:
    return [reason.message for reason in reasons(folder)]


def aside(folder: Path, number: int, size: int = 10) -> None:
    set_aside(folder, bytes(size), LoomError("NOT_FOUND", str(number)))


def test_the_reason_stands_before_the_message(tmp_path: Path) -> None:
    set_aside(tmp_path / "refused", b"mess\nage", LoomError("NOT_FOUND", "no such run"))
    (path,) = (tmp_path / "refused").iterdir()
    reason, _, message = path.read_bytes().partition(b"\n")
    assert b'"NOT_FOUND"' in reason
    assert message == b"mess\nage"
    (path.parent / "other.refused").write_text("rot")
    assert codes(path.parent) == ["no such run"]
    assert list(reasons(tmp_path / "nowhere")) == []


def test_the_oldest_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refused, "LIMIT_FILES", 3)
    for number in range(5):
        aside(tmp_path, number)
    assert codes(tmp_path) == ["2", "3", "4"]
    monkeypatch.setattr(refused, "LIMIT_BYTES", 1000)
    aside(tmp_path, 5, 900)
    assert codes(tmp_path) == ["5"]
    aside(tmp_path, 6, 2000)
    assert codes(tmp_path) == ["6"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1000, "only the reason"
