"""The guide for authors of operators says what is so."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cortex.cli.creating import Looks, new
from cortex.node import MediaNode

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operators.md").read_text()


@pytest.fixture
def blocks() -> dict[str, str]:
    """The first code block of each language."""
    found = re.findall(r"```(\w+)\n(.*?)```", GUIDE, re.DOTALL)
    return dict(reversed(found))


def test_every_operator_of_the_product_is_listed():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for operator in project["entry-points"]["cortex.operators"]:
        assert f"`{operator}`" in GUIDE


def test_everything_that_a_class_may_say_or_override_is_listed():
    names = [name for name, value in vars(MediaNode).items() if not name.startswith("_") and callable(value)]
    annotated = [name for name in MediaNode.__annotations__ if name != "options" and not name.startswith("_")]
    missing = [name for name in names + annotated if not re.search(rf"`{name}[`(]", GUIDE)]
    assert missing == []


def test_the_first_operator_is_what_the_command_makes(blocks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new("example.word-count", Looks.TEXT)
    assert (tmp_path / "word-count" / "word_count.py").read_text() == blocks["python"]
    assert (tmp_path / "word-count" / "pyproject.toml").read_text() == blocks["toml"]


@pytest.mark.slow
def test_the_guide_can_be_followed_to_the_letter(blocks, tmp_path):
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter.txt").write_text("a bc def ghij")
    (tmp_path / "words.yaml").write_text(blocks["yaml"])
    apart = {"PIP_TARGET": f"{tmp_path}/apart", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    folders = {"LOOM_DATA_DIR": f"{tmp_path}/loom", "XDG_CONFIG_HOME": f"{tmp_path}/config"}
    env = {**os.environ, **apart, **folders, "PYTHONPATH": f"{tmp_path}/apart"}
    told = [
        subprocess.run(line, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
        for line in blocks["sh"].splitlines()
    ]
    assert "3 passed" in told[2]
    assert "Counts the words of a text document." in told[3]
    assert "A real run would write 1 result" in told[4]
