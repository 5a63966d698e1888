"""A user's program in a run that is paused, goes on and is aborted: a real Loom, real processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ingests import carry_out, definition, loom_in, prepare
from programs import until

from loom.model import Depth, Pause

_CODE = (
    "import os, pathlib, sys, time;"
    "pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()}.');"
    "time.sleep(0 if os.path.exists(sys.argv[2]) else 600)"
)


@pytest.fixture
def own(tmp_path: Path, real_image: Path, monkeypatch: pytest.MonkeyPatch):
    """A run of one file, whose program tells its id in `pid`, and goes on once there is a file `go`."""
    monkeypatch.setenv("CORTEX_PROGRAMS", sys.executable)
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(real_image.read_bytes())
    arguments = ["-c", _CODE, str(tmp_path / "pid"), str(tmp_path / "go")]
    node = {"id": "own", "operator": "script.process", "config": {"program": sys.executable, "arguments": arguments}}
    with loom_in(tmp_path / "data") as loom:
        yield loom, prepare(loom, folder, definition("own", node))


def program(tmp_path: Path) -> Path:
    """The process, once it is at work; the file with its id is removed."""
    told = tmp_path / "pid"
    until(lambda: told.exists() and told.read_text().endswith("."))
    pid = int(told.read_text().rstrip("."))
    told.unlink()
    return Path(f"/proc/{pid}")


def test_paused_now_it_is_killed_and_begun_anew(own, tmp_path: Path) -> None:
    loom, story = own
    thread = story.in_background()
    process = program(tmp_path)
    (run,) = story.ingest.runs
    loom.pause_run(run.uuid, Pause(owner="user", reason="backup", depth=Depth.NOW, since=1))
    until(lambda: not process.exists())
    (tmp_path / "go").touch()
    assert not (tmp_path / "pid").exists()
    loom.resume_run(run.uuid, "user")
    thread.join()
    assert story.nodes("own") == {"computed": 1}
    assert (tmp_path / "pid").exists()


def test_aborted_it_is_killed(own, tmp_path: Path) -> None:
    _, story = own
    thread = story.in_background()
    process = program(tmp_path)
    story.ingest.interrupt()
    story.ingest.interrupt()
    thread.join()
    until(lambda: not process.exists())
    assert story.nodes("own") == {}


_FAMILY = (
    "import os, pathlib, subprocess, sys, time;"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True);"
    "pathlib.Path(sys.argv[1]).write_text(f'{os.getpid()} {child.pid}');"
    "time.sleep(600)"
)


def test_the_nodes_own_limit_holds_where_it_is_smaller(
    tmp_path: Path, real_image: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORTEX_PROGRAMS", sys.executable)
    folder, pids = tmp_path / "photos", tmp_path / "pids"
    folder.mkdir()
    (folder / "photo.jpg").write_bytes(real_image.read_bytes())
    config = {"program": sys.executable, "arguments": ["-c", _FAMILY, str(pids)], "within_s": 600}
    node = {"id": "own", "operator": "script.process", "config": config, "timeout_s": 1.5}
    with loom_in(tmp_path / "data") as loom:
        story = carry_out(loom, folder, definition("own", node))
    (failure,) = story.heard.failures
    assert failure.code == "TIMED_OUT"
    assert not pids.exists() or not any(Path(f"/proc/{pid}").exists() for pid in pids.read_text().split())
