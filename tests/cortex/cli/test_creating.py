from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cortex.cli.creating import Looks, new
from loom.errors import LoomError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind is Looks.TEXT else pytest.mark.slow) for kind in Looks]
)
def test_what_is_made_works_and_tests_itself(here: Path, kind: Looks) -> None:
    assert new("acme.first-look", kind) == 0
    offered = tomllib.loads((here / "first-look/pyproject.toml").read_text())["project"]["entry-points"]
    assert offered == {"cortex.operators": {"acme.first-look": "first_look:FirstLook"}}
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "first-look"], cwd=here, capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stdout


@pytest.mark.parametrize(
    ("operator", "module"), [("json", "operator_json"), ("x.class", "operator_class"), ("a.3d", "operator_3d")]
)
def test_a_module_takes_nobody_s_name(here: Path, operator: str, module: str) -> None:
    new(operator, into=here / "own")
    assert (here / "own" / f"{module}.py").exists()


@pytest.mark.parametrize("operator", ["Acme.Words", "acme words", "../x", "acme.", ""])
def test_only_what_can_be_an_operator_s_id_is_taken(here: Path, operator: str) -> None:
    with pytest.raises(LoomError, match="no operator's id") as caught:
        new(operator)
    assert caught.value.code == "USAGE"
    assert list(here.iterdir()) == []


def test_nothing_is_overwritten(here: Path) -> None:
    (here / "words").mkdir()
    (here / "words" / "mine.py").write_text("mine")
    with pytest.raises(LoomError) as caught:
        new("acme.words")
    assert caught.value.code == "NOT_EMPTY"
    assert [file.name for file in (here / "words").iterdir()] == ["mine.py"]
