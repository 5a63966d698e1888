"""The locale has no characters for what is to be said: programs get UTF-8 all the same, people an escaped form."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from programs import CORTEX, LOOM, environment

NAME = "日本 é.png"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "files"
    files.mkdir()
    (files / NAME).write_bytes(b"\x89PNG\r\n\x1a\n broken")
    return files


def run(place: Path, *arguments: object, command: tuple[str, ...] = CORTEX) -> subprocess.CompletedProcess[bytes]:
    env = environment(place, PYTHONIOENCODING="latin-1", LANG="C.UTF-8")
    return subprocess.run([*command, *map(str, arguments)], env=env, capture_output=True, timeout=60, check=False)


def lines(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.decode("utf-8").splitlines()]


def test_json_is_utf_8(tmp_path: Path, folder: Path) -> None:
    done = run(tmp_path, "ingest", folder, "--json", "--events")
    assert done.returncode == 3, done.stderr
    told = lines(done.stdout)
    assert told[-1]["message_type"] == "summary"
    (failed, *_) = [line["path"] for line in told if line["message_type"] == "failure"]
    assert failed == str(folder / NAME)
    shown = run(tmp_path, "show", folder / NAME, "--json")
    assert json.loads(shown.stdout.decode("utf-8"))["asset"]["locations"][0]["path"] == str(folder / NAME)
    assert lines(run(tmp_path, "failures", "--json").stdout)[0]["newest"]["path"] == str(folder / NAME)
    for command in (CORTEX, LOOM):
        assert lines(run(tmp_path, "config", "--json", command=command).stdout)


def test_text_shows_what_cannot_be_written_by_its_number(tmp_path: Path, folder: Path) -> None:
    assert run(tmp_path, "ingest", folder).returncode == 3
    for arguments in (("show", folder / NAME), ("failures",)):
        done = run(tmp_path, *arguments)
        assert (done.returncode, done.stderr) == (0, b"")
        assert "\\u65e5\\u672c é.png".encode("latin-1") in done.stdout
