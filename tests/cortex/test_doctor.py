from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cortex import doctor
from cortex.doctor import Check


def checks(look: str) -> dict[str, Check]:
    return {check.name: check for check in getattr(doctor, look)()}


def test_all_that_is_there_is_one_line() -> None:
    found = checks("_operators")
    assert found["optional parts"].sentence.startswith("installed: archives, documents, ")
    missing = {check.name for check in found.values() if not check.ok and check.name != "operator"}
    assert missing <= {"extra transcription"}, "all others are installed for the tests"


def test_a_part_that_is_missing_is_a_line_with_who_waits_for_it_and_what_to_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for package in ("py3langid", "lxml", "striprtf"):
        monkeypatch.setitem(sys.modules, package, None)
    found = checks("_operators")
    assert found["extra language"] == Check(
        "extra language", False, "text.language cannot be used without it: pip install 'loom-cortex[language]'", False
    )
    assert found["extra documents"].sentence == (
        "text.extract can do less without it: pip install 'loom-cortex[documents]'"
    )
    assert "language" not in found["optional parts"].sentence


def test_programs_that_pipelines_may_run_are_told_and_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks("_operators")["programs"].sentence == "pipelines may run none; CORTEX_PROGRAMS allows some"
    monkeypatch.setenv("CORTEX_PROGRAMS", "sh,no-such-program")
    found = checks("_operators")
    assert found["programs"].sentence == "pipelines may run sh, no-such-program"
    assert (found["program no-such-program"].ok, "program sh" in found) == (False, False)


def test_formats_are_one_line_and_a_line_for_each_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(checks("_formats")) == ["formats"]
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    found = checks("_formats")
    assert list(found) == ["formats", "format HEIC"]
    assert (found["format HEIC"].ok, "HEIC" in found["formats"].sentence) == (False, False)


def test_a_check_that_breaks_is_a_check_that_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken() -> list[Check]:
        raise OSError("no disk")

    monkeypatch.setattr(doctor, "_limits", broken)
    monkeypatch.setattr(doctor, "_sandbox", list)
    assert Check("broken", False, "OSError: no disk") in doctor.examine()
