"""Events to the pinned JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from loom.model import AssetEvent, Event, NodeEvent, Progress, RunEvent, RunHead
from loom.wire.values import sendable

MAX_TEXT = 4096
"""Characters of an error message that are sent."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VARIANTS = "89ab"
_encode = msgspec.json.Encoder().encode


def event_json(seq: int | None, run: RunHead, event: Event) -> bytes:
    """One event as a JSON object in UTF-8; without `seq` in the form in which workers publish it."""
    numbered: dict[str, Any] = {} if seq is None else {"seq": seq}
    if type(event) is NodeEvent:
        return _encode(_node(numbered, run, event))
    if type(event) is AssetEvent:
        return _encode(_asset(numbered, run, event))
    assert type(event) is RunEvent
    return _encode(
        {
            "type": "run",
            **numbered,
            "time": time_text(event.time),
            "run": run.uuid,
            "pipeline": run.pipeline,
            "status": event.status,
            "assets": event.assets,
            "dry_run": run.dry_run,
        }
    )


def progress_json(run: RunHead, progress: Progress) -> bytes:
    return _encode(
        {
            "type": "progress",
            "run": run.uuid,
            "pipeline": run.pipeline,
            "dry_run": run.dry_run,
            "assets": progress.assets,
            "nodes": progress.nodes,
            "bytes": progress.bytes_read,
            "total": progress.total,
            "current": [sendable(name) for name in progress.current],
        }
    )


def hello_json(seq: int) -> bytes:
    return _encode({"type": "hello", "seq": seq})


def gap_json(first: int, last: int) -> bytes:
    return _encode({"type": "gap", "from": first, "to": last})


def time_text(microseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, such as `2026-11-21T09:30:00.123Z`."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return f"{_second_text(seconds)}.{rest // 1000:03d}Z"


@lru_cache(maxsize=1024)
def asset_text(blake3: bytes) -> str:
    """The text of `asset_uuid(blake3)`, made faster: it stands in every event."""
    digits = blake3.hex()
    return (
        f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{_VARIANTS[blake3[8] >> 4 & 3]}{digits[17:20]}-{digits[20:32]}"
    )


def _node(numbered: dict[str, Any], run: RunHead, event: NodeEvent) -> dict[str, Any]:
    error = event.error
    frame = {
        "type": "node",
        **numbered,
        "time": time_text(event.time),
        "run": run.uuid,
        "pipeline": run.pipeline,
        "node": event.node,
        "asset": asset_text(event.asset),
        "status": event.status,
        "origin": event.origin,
        "verdict": event.verdict,
        "duration_ms": None if event.duration_us is None else event.duration_us / 1000,
        "reason": event.reason,
        "error": None if error is None else {"code": error[0], "message": sendable(error[1])[:MAX_TEXT]},
        "dry_run": run.dry_run,
    }
    if event.attempts > 1:
        frame["attempts"] = event.attempts
    return frame


def _asset(numbered: dict[str, Any], run: RunHead, event: AssetEvent) -> dict[str, Any]:
    return {
        "type": "asset",
        **numbered,
        "time": time_text(event.time),
        "run": run.uuid,
        "pipeline": run.pipeline,
        "asset": asset_text(event.asset),
        "status": event.status,
        "nodes": {
            node: {"state": state, "reason": reason, "origin": origin} for node, state, reason, origin in event.nodes
        },
        "dry_run": run.dry_run,
    }


@lru_cache(maxsize=64)
def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
