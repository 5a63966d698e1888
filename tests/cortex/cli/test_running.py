from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest

from cortex.cli.running import pause, resume, start


def test_a_pause_of_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOOM_DATA_DIR", str(tmp_path / "loom"))
    start("ingest", [tmp_path], json=True)
    run = UUID(json.loads(capsys.readouterr().out)["uuid"])
    pause(run, owner="quiet-hours")
    assert resume(run) == 0
    assert "still paused by quiet-hours; --owner quiet-hours lifts that" in capsys.readouterr().err
    resume(run, owner="quiet-hours")
    assert capsys.readouterr().err == ""
