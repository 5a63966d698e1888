"""Runs whose caller, which executes them itself, is not heard of any more."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from loom.service.nowandthen import now_and_then
from loom.steering import SILENT_S

if TYPE_CHECKING:
    from loom.service.running import LocalRuns


def ending_silent_runs(
    loom: LocalRuns, *, silent_s: float = SILENT_S, every_s: float = SILENT_S / 5
) -> AbstractContextManager[None]:
    """Meanwhile ends those of which nothing was heard for so long, as `LocalRuns.end_silent_runs` says."""
    return now_and_then(
        "silence", lambda _: loom.end_silent_runs(int(silent_s * 1_000_000)), first_s=every_s, every_s=every_s
    )
