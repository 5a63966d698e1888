"""Events to the pinned JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec

from loom.events import (
    NO_RUN,
    ActionEvent,
    AssetEvent,
    DuplicateEvent,
    Event,
    NodeEnd,
    NodeEvent,
    Progress,
    RunEvent,
    RunHead,
)
from loom.model import Branch, Origin, Pause, Reason
from loom.shapes import PauseShape
from loom.wire.values import sendable

MAX_TEXT = 4096
"""Characters of an error message that are sent."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VARIANTS = "89ab"
_encode = msgspec.json.Encoder().encode


def event_json(seq: int | None, run: RunHead, event: Event) -> bytes:
    """One event as a JSON object in UTF-8; without `seq` in the form in which workers publish it."""
    if type(event) is NodeEvent:
        plain = event.error is None and event.attempts == 1
        return _node(seq, run, event) if plain else _failed(seq, run, event)
    number = "" if seq is None else f'"seq":{seq},'
    if type(event) is AssetEvent:
        return _asset(number, run, event).encode()
    if type(event) is DuplicateEvent:
        group = {"duplicate": event.duplicate, "kind": event.kind, "status": event.status}
        return (_begin("duplicate", number, run, event.time) + _members(group) + "}").encode()
    if type(event) is ActionEvent:
        deed = {"action": event.action, "kind": event.kind, "asset": asset_text(event.asset)}
        deed |= {"duplicate": event.duplicate, "status": event.status}
        return (_begin("action", number, run, event.time) + _members(deed) + "}").encode()
    assert type(event) is RunEvent
    paused = [pause_told(pause) for pause in event.paused]
    told = {"status": event.status, "assets": event.assets, "paused": paused, "dry_run": run.dry_run}
    return (_begin("run", number, run, event.time) + _members(told) + "}").encode()


def pause_told(pause: Pause) -> PauseShape:
    """A pause as it is shown."""
    owner, reason = sendable(pause.owner), sendable(pause.reason)
    return PauseShape(owner=owner, reason=reason, depth=pause.depth.word, since=time_text(pause.since))


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
            "fraction": progress.fraction,
            "seconds_left": progress.seconds_left,
            "current": [sendable(name) for name in progress.current],
            "waiting": [sendable(reason) for reason in progress.waiting],
        }
    )


def hello_json(seq: int) -> bytes:
    return _encode({"type": "hello", "seq": seq})


def gap_json(first: int, last: int) -> bytes:
    return _encode({"type": "gap", "from": first, "to": last})


def time_text(microseconds: int) -> str:
    """ISO 8601 in UTC with milliseconds, such as `2026-11-21T09:30:00.123Z`."""
    return _time_text(microseconds // 1000)


@lru_cache(maxsize=256)
def _time_text(milliseconds: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


@lru_cache(maxsize=256)
def _time_bytes(milliseconds: int) -> bytes:
    return _time_text(milliseconds).encode()


@lru_cache(maxsize=1024)
def _asset_bytes(blake3: bytes) -> bytes:
    return asset_text(blake3).encode()


@lru_cache(maxsize=1024)
def asset_text(blake3: bytes) -> str:
    """The text of `asset_uuid(blake3)`, made faster: it stands in every event."""
    digits = blake3.hex()
    return (
        f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{_VARIANTS[blake3[8] >> 4 & 3]}{digits[17:20]}-{digits[20:32]}"
    )


def _node(seq: int | None, run: RunHead, event: NodeEvent) -> bytes:
    duration = event.duration_us
    template = _node_template(
        run, event.node, event.status, event.origin, event.verdict, event.reason, seq is None, duration is None
    )
    time, asset = _time_bytes(event.time // 1000), _asset_bytes(event.asset)
    if seq is None:
        return template % ((time, asset) if duration is None else (time, asset, duration / 1000))
    return template % ((seq, time, asset) if duration is None else (seq, time, asset, duration / 1000))


def _failed(seq: int | None, run: RunHead, event: NodeEvent) -> bytes:
    """With an error, whose words take the place of the last `null` of a template, or after several attempts. Whether an
    error is handled stands at the end, if it is."""
    told = _node(seq, run, event)
    if event.error is not None:
        code, message = event.error
        error = {"code": code, "message": sendable(message)[:MAX_TEXT]}
        before, _, after = told.rpartition(b'"error":null')
        told = b"%b%b%b" % (before, _encode({"error": error})[1:-1], after)
        if event.handled:
            told = b'%b,"handled":true}' % told[:-1]
    return told if event.attempts == 1 else b'%b,"attempts":%d}' % (told[:-1], event.attempts)


@lru_cache(maxsize=4096)
def _node_template(
    run: RunHead,
    node: str,
    status: str,
    origin: Origin | None,
    verdict: Branch | None,
    reason: Reason | None,
    unnumbered: bool,
    untimed: bool,
) -> bytes:
    """All that many events have in common; left open are number, time, asset and duration."""
    ended = _open({"status": status, "origin": origin, "verdict": verdict})
    rest = _open({"reason": reason, "error": None, "dry_run": run.dry_run})
    where = _open({"run": run.uuid, "pipeline": run.pipeline, "node": node})
    number, duration = "" if unnumbered else '"seq":%d,', "null" if untimed else "%r"
    text = f'{{"type":"node",{number}"time":"%b",{where},"asset":"%b",{ended},"duration_ms":{duration},{rest}}}'
    return text.encode()


def _asset(number: str, run: RunHead, event: AssetEvent) -> str:
    begin = _begin("asset", number, run, event.time)
    rest = _asset_rest(event.status, event.nodes, run.dry_run)
    return f'{begin}"asset":"{asset_text(event.asset)}",{rest}}}'


@lru_cache(maxsize=256)
def _asset_rest(status: str, nodes: tuple[NodeEnd, ...], dry_run: bool) -> str:
    told = {node: {"state": state, "reason": reason, "origin": origin} for node, state, reason, origin in nodes}
    return _members({"status": status, "nodes": told, "dry_run": dry_run})


def _begin(kind: str, number: str, run: RunHead, time: int) -> str:
    return f'{{"type":"{kind}",{number}"time":"{time_text(time)}",{_run_members(run)},'


@lru_cache(maxsize=64)
def _run_members(run: RunHead) -> str:
    if run == NO_RUN:
        return _members({"run": None, "pipeline": None})
    return _members({"run": run.uuid, "pipeline": run.pipeline})


def _members(values: dict[str, Any]) -> str:
    """The inside of a JSON object."""
    return _encode(values)[1:-1].decode()


def _open(values: dict[str, Any]) -> str:
    """The inside of a JSON object, to stand in a template."""
    return _members(values).replace("%", "%%")
