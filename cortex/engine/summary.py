"""The summary of an ingest: the pinned object."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import msgspec

from cortex.engine.tally import LaneRun, WouldWrite
from loom.model import AssetCounts, RunState
from loom.spending import together


def summarise(
    runs: Sequence[LaneRun],
    assets: AssetCounts,
    *,
    state: RunState,
    seconds: float,
    dry_run: bool,
    unreachable: Sequence[str],
    passed_over: int,
    would_write: WouldWrite | None,
) -> dict[str, Any]:
    """The fields of the `summary` message. With several pipelines, `run`, `pipeline` and `version` are those of the
    first that got anything to do, and `nodes` holds `pipeline/node` for all of them. `unreachable` are the sources
    that could not be read, `passed_over` counts pipes, sockets and devices."""
    first = next((run for run in runs if run.opened), runs[0])
    nodes = {
        (f"{run.lane.plan.pipeline}/{node}" if len(runs) > 1 else node): msgspec.to_builtins(counts)
        for run in runs
        for node, counts in run.nodes.items()
    }
    return {
        "run": None if dry_run else str(first.uuid),
        "pipeline": first.lane.plan.pipeline,
        "version": first.version,
        "runs": [] if dry_run else [str(run.uuid) for run in runs if run.opened],
        "dry_run": dry_run,
        "state": state.value,
        "assets": msgspec.to_builtins(assets),
        "nodes": nodes,
        "bytes": sum(run.bytes_read for run in runs),
        "spent": msgspec.to_builtins(reduce(together, [run.spent for run in runs])),
        "seconds": round(seconds, 3),
        "unreachable": list(unreachable),
        "passed_over": passed_over,
        "would_write": None if would_write is None else shown_writes(would_write),
    }


def nothing_done() -> dict[str, Any]:
    """The fields where the ingest ended before it began."""
    return {
        "run": None,
        "pipeline": None,
        "version": None,
        "runs": [],
        "dry_run": False,
        "state": RunState.FAILED.value,
        "assets": msgspec.to_builtins(AssetCounts()),
        "nodes": {},
        "bytes": 0,
        "spent": None,
        "seconds": 0.0,
        "unreachable": [],
        "passed_over": 0,
        "would_write": None,
    }


def shown_writes(would: WouldWrite) -> dict[str, Any]:
    """What a dry run would have written, as it is told outside."""
    effects = [*would.effects, *([f"… and {would.more_effects} more"] if would.more_effects else [])]
    return {
        "results": would.results,
        "locations": would.locations,
        "artifacts": would.artifacts,
        "bytes": would.bytes,
        "effects": effects,
    }
