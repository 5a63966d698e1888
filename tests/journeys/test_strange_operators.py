"""Operators of a third party that misbehave cost their file only."""

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deedoperator import KNOWN, KNOWN_BESIDE, definition, install
from programs import LONG_AGO, age, query

Cortex = Callable[..., Any]

CODES = {
    "segfault": "WORKER_CRASHED",
    "loop": "TIMED_OUT",
    "eat": "MEMORY_EXCEEDED",
    "raise": "OPERATOR_FAILED",
    "exit": "OPERATOR_FAILED",
    "judge": "OUTPUT_INVALID",
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
    assert done.summary["nodes"]["sha256"]["computed"] == 20 + len(CODES)
    assert not (tmp_path / "written").exists()
    again = cortex("ingest", deeds, "--pipeline", tmp_path / "deeds.json", "--json")
    assert again.code == 0, again.err
    assert again.summary["assets"]["unchanged"] == 20 + len(CODES), "what is at fault itself is not tried again"


def test_an_operator_that_is_not_installed_any_more(
    cortex: Cortex, deeds: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert cortex("pipeline", "push", tmp_path / "deeds.json").code == 0
    del environment["PYTHONPATH"]
    done = cortex("ingest", deeds, "--pipeline", "deeds", "--json")
    assert done.code == 2, done.err + done.out
    assert "strange.deed" in done.err + done.out


def test_what_operators_know_beforehand_is_stored_and_read_on_both_sides_of_the_sandbox(
    cortex: Cortex, deeds: Path, tmp_path: Path
) -> None:
    operators = {"one": KNOWN, "two": KNOWN_BESIDE, "three": KNOWN, "four": KNOWN_BESIDE}
    nodes = [{"id": "files", "operator": "source.filesystem"}]
    nodes += [{"id": node, "operator": operator} for node, operator in operators.items()]
    edges = [{"from": {"node": a["id"]}, "to": {"node": b["id"]}} for a, b in itertools.pairwise(nodes)]
    pipeline = {"schema_version": 1, "name": "known", "graph": {"nodes": nodes, "edges": edges}}
    (tmp_path / "known.json").write_text(json.dumps(pipeline))
    text = deeds / "good00.txt"
    ingest = ("ingest", text, "--pipeline", tmp_path / "known.json", "--json", "--events")
    first = cortex(*ingest)
    assert first.code == 0, first.err
    assert {node: count for node, counts in first.summary["nodes"].items() for count in [counts["cached"]]} == (
        dict.fromkeys(operators, 1)
    )
    told = [event for event in first.of("event") if event["type"] == "node"]
    assert [event["node"] for event in told] == list(operators)
    assert {(event["status"], event["reason"], event["origin"]) for event in told} == {("SKIPPED", "STORED", "CACHED")}
    sums = query(tmp_path / "data", "SELECT outputs FROM results ORDER BY length(outputs), outputs")
    assert [json.loads(outputs)["sum"] for (outputs,) in sums] == [1, 2, 4, 8]
    os.utime(text, (LONG_AGO + 1, LONG_AGO + 1))
    again = cortex(*ingest)
    assert [counts["remote"] for counts in again.summary["nodes"].values()] == [1, 1, 1, 1]
