"""Many files that are gone from a watched folder wait for a word; a few, and what was only moved, do not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import age, until
from watches import Watching


@pytest.fixture
def many(texts: Path) -> Path:
    """Twenty texts more."""
    (texts / "many").mkdir()
    for number in range(20):
        (texts / "many" / f"{number}.txt").write_text(f"text {number}")
    age(texts)
    return texts


def notes(watching: Watching) -> int:
    return watching.running.out.count('"message_type":"note"')


def test_many_deletions_wait_for_an_ingest(
    many: Path, start: Callable[..., Watching], cortex: Callable[..., Any]
) -> None:
    watching = start("--settle", 0.5, "--json")
    until(lambda: '"message_type":"summary"' in watching.running.out)
    (many / "many").rename(many / "moved")
    watching.has("many/19.txt", "missing")
    until(lambda: sum(state == "present" for state in watching.states.values()) == 22, 20)
    assert notes(watching) == 0
    (many / "moved").rename(many.with_name("elsewhere"))
    until(lambda: notes(watching) == 1)
    (many / "one.txt").unlink()
    (many / "new.txt").write_text("it goes on")
    watching.has("new.txt")
    assert {watching.states[name] for name in ("one.txt", "moved/0.txt", "moved/19.txt")} == {"present"}
    confirmed = cortex("ingest", many)
    assert confirmed.code == 0, confirmed.err
    assert {watching.states[name] for name in ("one.txt", "moved/0.txt", "moved/19.txt")} == {"missing"}
    (many / "new.txt").unlink()
    watching.has("new.txt", "missing")
    done = watching.stop()
    assert len(done.of("note")) == 1, done.out
    (note,) = done.of("note")
    assert (done.code, note["about"], note["root"], note["gone"], note["files"]) == (0, "deletions", str(many), 20, 22)
    assert note["confirm"] == f"cortex ingest {many}"


@pytest.mark.slow
def test_deletions_are_accepted_where_they_are_normal(many: Path, start: Callable[..., Watching]) -> None:
    watching = start("--settle", 0.5, "--accept-deletions")
    until(lambda: "COMPLETED" in watching.running.out)
    shutil.rmtree(many / "many")
    watching.has("many/0.txt", "missing")
    assert "gone" not in watching.running.err
