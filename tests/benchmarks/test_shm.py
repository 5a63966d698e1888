"""The benchmark of process pipelines notices frames that are missing or torn, and plays with real processes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

MARK = 0x1234_5678_9ABC_DEF0

Frame = NDArray[np.uint8]
Load = Callable[[str], ModuleType]


@pytest.fixture
def load(project: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.syspath_prepend(str(project / "benchmarks"))
    return importlib.import_module


@pytest.fixture
def frames(load: Load) -> ModuleType:
    return load("shmframes")


@pytest.fixture
def sent(frames: ModuleType) -> list[Frame]:
    """All frames of a run, in order, the last one too."""
    made: list[Frame] = []
    frames.send(lambda frame: made.append(frame.copy()), frames.picture("1 KiB"), 0.0, MARK)
    assert len(made) > 10
    return made


def received(frames: ModuleType, came: Iterable[Frame], mark: int = MARK) -> tuple[int, int, int]:
    """How many frames there should be; gaps; torn frames."""
    found = frames.receive((frames.words(frame) for frame in came), mark)
    return found["frames"], found["gaps"], found["torn"]


def test_whole_frames_in_order_are_without_fault(frames: ModuleType, sent: list[Frame]) -> None:
    assert received(frames, sent) == (len(sent), 0, 0)


@pytest.mark.parametrize("missing", [0, 5, -2])
def test_a_missing_frame_is_noticed_wherever_it_was(frames: ModuleType, sent: list[Frame], missing: int) -> None:
    count = len(sent)
    del sent[missing]
    assert received(frames, sent) == (count, 1, 0)


def test_a_frame_that_comes_twice_is_noticed(frames: ModuleType, sent: list[Frame]) -> None:
    assert received(frames, [*sent[:5], sent[4], *sent[5:]]) == (len(sent), 1, 0)


@pytest.mark.parametrize("newer", [slice(None, 500), slice(100, 900), slice(900, None)])
def test_a_frame_with_a_piece_of_a_newer_one_is_noticed(frames: ModuleType, sent: list[Frame], newer: slice) -> None:
    sent[5][newer] = sent[6][newer]
    assert received(frames, sent) == (len(sent), 0, 1)


def test_frames_of_another_run_are_not_taken_for_those_of_this(frames: ModuleType, sent: list[Frame]) -> None:
    other: list[Frame] = []
    frames.send(lambda frame: other.append(frame.copy()), frames.picture("1 KiB"), 0.0, MARK + 1)
    assert received(frames, [*other[:3], *sent[3:]]) == (len(sent), 0, 3)


def test_our_processes_play_a_round(load: Load) -> None:
    with load("shmstage").Stage("chain", ["cortex.shm"]) as stage:
        found: list[dict[str, Any]] = stage.run("cortex.shm", "64 KiB", 0.01)
    *_, reader = (player for player in found if "end" in player)
    assert reader["frames"] > 1
    assert (reader["gaps"], reader["torn"]) == (0, 0)
