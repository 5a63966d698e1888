"""Copies are found, decided on, moved aside and brought back from the command line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from programs import CORTEX

Cortex = Callable[..., Any]
SAME = {
    "schema_version": 1,
    "name": "same",
    "graph": {
        "nodes": [{"id": "files", "operator": "source.filesystem"}, {"id": "same", "operator": "dedup.exact"}],
        "edges": [{"from": {"node": "files"}, "to": {"node": "same"}}],
    },
}


@pytest.fixture
def group(cortex: Cortex, library: Path, tmp_path: Path) -> str:
    """That of the picture which lies there twice."""
    (tmp_path / "same.yaml").write_text(yaml.safe_dump(SAME))
    assert cortex("ingest", library, "--pipeline", tmp_path / "same.yaml", "--json").code == 0
    (found,) = [json.loads(line) for line in cortex("duplicates", "--state", "pending", "--json").out.splitlines()]
    assert (found["kind"], len(found["members"])) == ("exact", 2)
    (tmp_path / "aside").mkdir()
    return str(found["uuid"])


def test_copies_are_moved_aside_and_brought_back(cortex: Cortex, library: Path, group: str, tmp_path: Path) -> None:
    kept, copy, to = library / "one.jpg", library / "sub" / "copy of one.jpg", tmp_path / "aside"
    refused = cortex("duplicates", "apply", group, "--to", to)
    assert (refused.code, refused.err) == (2, f"REQUEST_INVALID: The group {group} is PENDING: confirm it first.\n")
    assert f"keep      {json.loads(cortex('show', kept, '--json').out)['asset']['uuid']}" in cortex(
        "duplicates", "confirm", group, "--keep", kept
    ).out  # fmt: skip
    aside = to / str(copy).lstrip("/")
    assert cortex("duplicates", "apply", "--all", "--to", to, "--dry-run").out == f"would move  {copy} to {aside}\n"
    done = cortex("duplicates", "apply", "--all", "--to", to)
    assert (done.code, done.out) == (0, f"moved       {copy} to {aside}\n")
    assert (kept.exists(), copy.exists(), aside.exists()) == (True, False, True)
    assert cortex("duplicates", "apply", group, "--to", to).out == "nothing to move\n"
    back = cortex("undo", "--group", group)
    assert (back.code, back.out) == (0, f"undone    {aside} goes back to {copy}\n")
    assert (copy.exists(), aside.exists()) == (True, False)
    assert cortex("undo", "--group", group).out == "nothing to undo\n"


@pytest.mark.slow
def test_a_killed_apply_is_ended_by_the_next_command(
    cortex: Cortex, environment: dict[str, str], library: Path, group: str, tmp_path: Path
) -> None:
    """It is killed when the file has gone and Loom was not told yet."""
    cortex("duplicates", "confirm", group, "--keep", library / "one.jpg")
    code = (
        "import os, cortex.actions.applying as applying; move = applying.move\n"
        "def die(*arguments):\n    move(*arguments); os.kill(os.getpid(), 9)\n"
        "applying.move = die; from cortex.cli import main; main()"
    )
    command = [CORTEX[0], "-c", code, "duplicates", "apply", "--all", "--to", str(tmp_path / "aside")]
    assert subprocess.run(command, env=environment, check=False, timeout=100).returncode == -9
    assert not (library / "sub" / "copy of one.jpg").exists()
    assert cortex("undo", "--group", group).code == 0
    assert (library / "sub" / "copy of one.jpg").exists()


def test_what_is_not_understood(cortex: Cortex, tmp_path: Path) -> None:
    for wrong in (
        ("duplicates", "--state", "open"),
        ("duplicates", "apply", "--to", tmp_path),
        ("duplicates", "apply", "--all", "--to", tmp_path / "nowhere"),
        ("undo",),
    ):
        assert cortex(*wrong).code == 2, wrong
