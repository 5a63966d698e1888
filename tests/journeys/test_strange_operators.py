"""Operators of a third party that misbehave cost their file only."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deedoperator import definition, install
from programs import age

Cortex = Callable[..., Any]

CODES = {
    "segfault": "WORKER_CRASHED",
    "loop": "TIMED_OUT",
    "eat": "MEMORY_EXCEEDED",
    "raise": "OPERATOR_FAILED",
    "write": "OPERATOR_FAILED",
    "connect": "OPERATOR_FAILED",
}


@pytest.fixture
def deeds(tmp_path: Path, environment: dict[str, str]) -> Path:
    """Texts, among them one for each misdeed, and a pipeline `deeds.json` beside the folder."""
    environment["PYTHONPATH"] = install(tmp_path / "site")
    environment["CORTEX_MEMORY_LIMIT"] = "268435456"
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(20):
        (folder / f"good{number:02}.txt").write_text(f"text number {number}\n")
    for deed in CODES:
        (folder / f"{deed}.txt").write_text(f"{deed} it\n")
    age(folder)
    node = {"timeout_s": 1, "config": {"target": str(tmp_path / "written")}}
    (tmp_path / "deeds.json").write_text(json.dumps(definition(**node)))
    return folder


def test_every_misdeed_has_its_code_and_all_other_files_are_done(cortex: Cortex, deeds: Path, tmp_path: Path) -> None:
    done = cortex("ingest", deeds, "--pipeline", tmp_path / "deeds.json", "--json")
    assert done.code == 3, done.err
    assert {Path(line["path"]).stem: line["code"] for line in done.of("failure")} == CODES
    assert {line["node"] for line in done.of("failure")} == {"deed"}
    assert all(line["message"] for line in done.of("failure"))
    assert done.summary["assets"]["completed"] == 20
    assert done.summary["nodes"]["deed"]["computed"] == 20
    assert done.summary["nodes"]["sha256"]["computed"] == 26
    assert not (tmp_path / "written").exists()
    again = cortex("ingest", deeds, "--pipeline", tmp_path / "deeds.json", "--json")
    assert again.code == 0, again.err
    assert again.summary["assets"]["unchanged"] == 26, "what is at fault itself is not tried again"


def test_an_operator_that_is_not_installed_any_more(
    cortex: Cortex, deeds: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert cortex("pipeline", "push", tmp_path / "deeds.json").code == 0
    del environment["PYTHONPATH"]
    done = cortex("ingest", deeds, "--pipeline", "deeds", "--json")
    assert done.code == 2, done.err + done.out
    assert "strange.deed" in done.err + done.out
