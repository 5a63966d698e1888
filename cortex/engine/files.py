"""Where the files of an ingest come from, and what that told of those that need no work or could not be had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from cortex.engine.tally import LaneRun, add_counts
from cortex.sources.scan import Found
from loom.model import AssetCounts, Problem


class Files(Protocol):
    """Where files come from; `cortex.sources.scan.Scan` is one."""

    seen: int
    unchanged: int
    failed_before: int
    unreachable: list[bytes]
    unreadable: list[tuple[bytes, str, str]]
    unreadable_total: int
    special: list[bytes]
    special_total: int
    why_unreachable: dict[bytes, str]

    @property
    def bytes_unchanged(self) -> int: ...

    def __iter__(self) -> Iterator[Found]: ...


def problems_of(files: Files) -> Iterator[Problem]:
    """Sources that are away come first, for they are what most is missing of."""
    for path, why in files.why_unreachable.items():
        yield Problem(path, "SOURCE_UNREACHABLE", why)
    for path, code, message in files.unreadable:
        yield Problem(path, code, message)


def count_up(runs: Sequence[LaneRun], first: LaneRun, files: Files, *, has_loom: bool) -> AssetCounts:
    """Adds what the source counted to the `first` run, and all runs up. Files that could not be read when their turn
    came, which the executor counts under the very first, were offered by the source; others that it could not read were
    not."""
    counts, unchanged, failed = first.assets, files.unchanged, files.failed_before
    unread, runs[0].assets.unreadable = runs[0].assets.unreadable, 0
    counts.seen += unchanged + unread
    counts.unchanged, counts.completed = counts.unchanged + unchanged, counts.completed + unchanged - failed
    counts.failed_before += failed
    counts.unreadable += unread + files.unreadable_total
    total = AssetCounts()
    for run in runs:
        if not has_loom:
            run.assets.moved = 0  # nobody remembers where a file lay
        add_counts(total, run.assets)
    return total
