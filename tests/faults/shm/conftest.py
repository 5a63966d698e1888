"""Pipelines whose processes start in no time."""

from __future__ import annotations

import pytest
from shmtasks import no_main

from cortex.shm import supervisor


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets processes start without the program that runs the tests, and again without a pause, and gives them time to
    end; what rests is seen at once."""
    no_main(monkeypatch)
    monkeypatch.setattr(supervisor, "_LONGEST_PAUSE_S", 0.0)
    monkeypatch.setattr(supervisor, "GRACE_S", 60.0)
    monkeypatch.setattr(supervisor, "_TICK_S", 0.02)
