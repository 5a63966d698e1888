"""Functions for tasks of process pipelines, to be found by the processes they run in."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np


def count_up(out: Any, frames: int = 20, gate: str | None = None) -> None:
    """Writes frames that hold their number; with a gate it then waits for that file."""
    for number in range(frames):
        out.write(np.full(out.shape, number, out.dtype), None)
    while gate is not None and not Path(gate).exists():
        time.sleep(0.005)


def drain(frames: Any) -> None:
    while True:
        frames.read(None)


def wait_for(gate: str) -> None:
    while not os.path.exists(gate):
        time.sleep(0.005)


def stay(frames: Any, gate: str) -> None:
    """Reads nothing until the gate is there."""
    wait_for(gate)
    drain(frames)
