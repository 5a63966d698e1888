"""A real Loom, and ingests of files that lie elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ingests import HOST, loom_in
from remote_runs import Ingesting, ingesting

from cortex.ingesting import executing
from loom.service.loom import LocalLoom


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "scratch"
    monkeypatch.setenv("CORTEX_SCRATCH_PATH", str(path))
    monkeypatch.setenv("CORTEX_JOBS", "1")
    monkeypatch.setattr(executing.platform, "node", lambda: HOST)
    return path


@pytest.fixture
def loom(tmp_path: Path) -> Iterator[LocalLoom]:
    with loom_in(tmp_path / "loom") as loom:
        yield loom


@pytest.fixture
def ingest(scratch: Path, loom: LocalLoom) -> Ingesting:
    return ingesting(scratch, loom)
