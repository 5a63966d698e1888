import json

import pytest
from msgspec.structs import replace

from loom.bus.decoding import batches_of, progress_of, read_publish
from loom.bus.encoding import event_json, progress_json
from loom.errors import LoomError
from loom.events import AssetEvent, NodeEvent, Progress, RunEvent, RunHead
from loom.model import AssetCounts, Branch, Origin, State, asset_uuid

ASSET = bytes(range(32))
NODE = {
    "type": "node", "time": "2026-11-21T09:30:00.123Z", "run": "11111111-2222-8333-8444-555555555555",
    "pipeline": "photos", "node": "sha256", "asset": str(asset_uuid(ASSET)), "status": "STARTED",
}  # fmt: skip


def published(*frames: bytes) -> bytes:
    return b'{"type":"publish","events":[' + b",".join(frames) + b"]}"


def test_events_come_back_as_they_were_but_for_the_rest_of_the_hash(run):
    known = asset_uuid(ASSET).bytes
    sent = [
        NodeEvent(1_123_000, "a", ASSET, "FAILED", Origin.COMPUTED, Branch.PASS, 3211, None, ("TIMED_OUT", "slow"), 2),
        NodeEvent(1_123_000, "b", ASSET, "FAILED", Origin.COMPUTED, None, 3211, None, ("TIMED_OUT", "slow"), 1, True),
        AssetEvent(2_000, ASSET, "COMPLETED", (("a", State.COMPLETED, None, Origin.CACHED),)),
        RunEvent(3_000, "COMPLETED", AssetCounts(seen=4)),
    ]
    (batch,) = batches_of(read_publish(published(*(event_json(None, run, event) for event in sent))))
    assert batch.run == run
    nodes = [replace(event, asset=known) for event in sent[:2]]
    assert batch.events == [*nodes, sent[2]._replace(asset=known), sent[3]]


def test_events_of_several_runs_keep_their_order(run):
    other = RunHead(run.uuid, "videos", True)
    frames = [event_json(None, head, RunEvent(0, "STARTED")) for head in (run, run, other, run)]
    assert [(b.run, len(b.events)) for b in batches_of(read_publish(published(*frames)))] == [
        (run, 2), (other, 1), (run, 1)
    ]  # fmt: skip


def test_progress_goes_beside_the_events(run):
    progress = Progress(assets=AssetCounts(seen=2), nodes={}, bytes_read=5, total=9, current=("a.jpg",))
    progress = replace(progress, fraction=0.25, seconds_left=61.5)
    message = read_publish(published(progress_json(run, progress)))
    assert list(progress_of(message)) == [(run, progress)]
    assert batches_of(message) == []


@pytest.mark.parametrize(
    "change",
    [
        {"status": "DONE"}, {"type": "hello"}, {"type": "gap"}, {"run": "7"}, {"asset": 5}, {"node": ""},
        {"asset": "0f0e0d0c-0b0a-4908-8706-050403020100"}, {"asset": "0f0e0d0c-0b0a-8908-0706-050403020100"},
        {"node": "x" * 65}, {"pipeline": None}, {"time": "yesterday"}, {"time": "2026-11-21T09:30:00"},
        {"time": 5}, {"seq": 4}, {"duration_ms": -1}, {"duration_ms": 1e300}, {"attempts": 0},
        {"origin": "STOLEN"}, {"verdict": "MAYBE"}, {"reason": "BORED"}, {"error": "no"},
    ],
)  # fmt: skip
def test_what_is_not_an_event_is_refused(change):
    with pytest.raises(LoomError) as refused:
        batches_of(read_publish(json.dumps({"type": "publish", "events": [{**NODE, **change}]})))
    assert refused.value.code == "REQUEST_INVALID"
    batches_of(read_publish(json.dumps({"type": "publish", "events": [NODE]})))


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"type":"publish"}', b'{"type":"ack","seq":1}', b"\xff", b"[" * 100_000]
)
def test_what_is_not_a_message_is_refused(text):
    with pytest.raises(LoomError) as refused:
        read_publish(text)
    assert refused.value.code == "REQUEST_INVALID"
