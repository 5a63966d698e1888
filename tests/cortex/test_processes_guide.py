"""docs/processes.md is true: its example runs, and what it names is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cortex import shm

GUIDE = (Path(__file__).parents[2] / "docs" / "processes.md").read_text("utf-8")


def test_the_example_runs(tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "stages.py").write_text(example)
    ended = subprocess.run([sys.executable, "stages.py"], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == ("sum of means: 999000.0\n", "")


@pytest.mark.parametrize(
    ("heading", "kind"), [("| reader | |", shm.Reader), ("| writer | |", shm.Writer), ("| call |", shm.Pipeline("x"))]
)
def test_what_the_tables_name_is_there(heading: str, kind: object) -> None:
    table = GUIDE.partition(heading)[2].partition("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`([a-z_]+)\(", row.split("|")[1])}
    assert len(named) > 1
    assert [name for name in named if not hasattr(kind, name)] == []
