import json
from uuid import UUID

import msgspec
import pytest

from loom.bus.encoding import asset_text, event_json, gap_json, hello_json, progress_json, time_text
from loom.bus.frames import Frame
from loom.events import NO_RUN, ActionEvent, AssetEvent, DuplicateEvent, NodeEvent, Progress, RunEvent, RunHead
from loom.model import AssetCounts, Branch, NodeCounts, Origin, Reason, State, asset_uuid

RUN = RunHead(UUID("11111111-2222-8333-8444-555555555555"), "ingest", False)
ASSET = bytes(range(200, 232))
TIME = 1_795_253_400_123_999


def test_a_node_event_is_the_pinned_object_field_by_field():
    event = NodeEvent(TIME, "sha256", ASSET, "COMPLETED", Origin.COMPUTED, Branch.PASS, 3200)
    assert json.loads(event_json(4711, RUN, event), object_pairs_hook=list) == [
        ("type", "node"), ("seq", 4711), ("time", "2026-11-21T09:30:00.123Z"), ("run", str(RUN.uuid)),
        ("pipeline", "ingest"), ("node", "sha256"), ("asset", str(asset_uuid(ASSET))), ("status", "COMPLETED"),
        ("origin", "COMPUTED"), ("verdict", "PASS"), ("duration_ms", 3.2), ("reason", None), ("error", None),
        ("dry_run", False),
    ]  # fmt: skip


AWKWARD = (
    "plain",
    "100%",
    "%d%s%b%%",
    "%(seq)d",
    '"quoted"',
    '"error":null',
    "{0} {} }{",
    "back\\slash",
    "naïve 写真 🚀",
    "\n\t\0",
)


@pytest.mark.parametrize("text", AWKWARD)
@pytest.mark.parametrize("seq", [None, 4711])
@pytest.mark.parametrize("duration", [None, 0, 1, 3200, 2**53])
@pytest.mark.parametrize("attempts", [1, 3])
def test_any_text_stands_in_a_node_event_as_it_is(text, seq, duration, attempts):
    run = RunHead(RUN.uuid, text, True)
    status = ("COMPLETED", Origin.COMPUTED, Branch.PASS)
    for error in (None, (text, text)):
        event = NodeEvent(TIME, text, ASSET, *status, duration, None, error, attempts)
        told = json.loads(event_json(seq, run, event), object_pairs_hook=list)
        assert told == [
            ("type", "node"), *([] if seq is None else [("seq", seq)]), ("time", "2026-11-21T09:30:00.123Z"),
            ("run", str(RUN.uuid)), ("pipeline", text), ("node", text), ("asset", str(asset_uuid(ASSET))),
            ("status", "COMPLETED"), ("origin", "COMPUTED"), ("verdict", "PASS"),
            ("duration_ms", None if duration is None else duration / 1000), ("reason", None),
            ("error", None if error is None else [("code", text), ("message", text)]), ("dry_run", True),
            *([] if attempts == 1 else [("attempts", attempts)]),
        ]  # fmt: skip


def test_attempts_stand_there_when_there_was_more_than_one():
    event = NodeEvent(TIME, "sha256", ASSET, "FAILED", error=("FILE_DAMAGED", "broken \udcff"), attempts=3)
    told = json.loads(event_json(1, RUN, event))
    assert (told["attempts"], told["error"]) == (3, {"code": "FILE_DAMAGED", "message": "broken ?"})


@pytest.mark.parametrize("attempts", [1, 2])
def test_an_error_that_is_handled_is_told_as_such(attempts):
    event = NodeEvent(TIME, "a", ASSET, "FAILED", error=("TIMED_OUT", "slow"), attempts=attempts, handled=True)
    told = json.loads(event_json(1, RUN, event))
    assert (told["handled"], told.get("attempts", 1), told["error"]["code"]) == (True, attempts, "TIMED_OUT")


def test_asset_run_and_unnumbered_frames():
    nodes = (("sha256", State.SKIPPED, Reason.STORED, Origin.REMOTE), ("thumb", State.FAILED, None, None))
    asset = json.loads(event_json(1, RUN, AssetEvent(TIME, ASSET, "FAILED", nodes)))
    assert asset["nodes"] == {
        "sha256": {"state": "SKIPPED", "reason": "STORED", "origin": "REMOTE"},
        "thumb": {"state": "FAILED", "reason": None, "origin": None},
    }
    run = json.loads(event_json(2, RUN, RunEvent(TIME, "PARTIAL", AssetCounts(seen=3))))
    assert (run["type"], run["status"], run["assets"]["seen"]) == ("run", "PARTIAL", 3)
    told = json.loads(progress_json(RUN, Progress(assets=AssetCounts(seen=1), nodes={"a": NodeCounts()}, total=9)))
    assert "seq" not in told
    assert (told["type"], told["run"], told["total"]) == ("progress", str(RUN.uuid), 9)
    assert json.loads(hello_json(5)) == {"type": "hello", "seq": 5}
    assert json.loads(gap_json(2, 4)) == {"type": "gap", "from": 2, "to": 4}


def test_every_frame_can_be_read_back():
    decoder = msgspec.json.Decoder(Frame)
    progress = Progress(assets=AssetCounts(), nodes={}, current=("odd \udcff name",))
    for frame in (
        event_json(1, RUN, NodeEvent(TIME, "n", ASSET, "SKIPPED", reason=Reason.FILTERED, attempts=2)),
        event_json(1, RUN, NodeEvent(TIME, "n", ASSET, "FAILED", error=("OPERATOR_FAILED", "x" * 10_000))),
        event_json(1, RUN, AssetEvent(TIME, ASSET, "SKIPPED", ())),
        event_json(1, RUN, RunEvent(TIME, "STARTED")),
        progress_json(RUN, progress),
        hello_json(0),
        gap_json(1, 2),
    ):
        decoder.decode(frame)


def test_times_and_asset_ids_are_texts_like_everywhere_else():
    assert time_text(0) == "1970-01-01T00:00:00.000Z"
    assert time_text(59_999_999) == "1970-01-01T00:00:59.999Z"
    assert asset_text(bytes(32)) == str(asset_uuid(bytes(32)))
    assert asset_text(b"\xff" * 32) == str(asset_uuid(b"\xff" * 32))
    known = asset_uuid(ASSET)
    assert asset_text(known.bytes) == str(known), "of an asset that a worker published only the UUID is known"


def test_what_happens_outside_of_runs_has_null_for_the_run():
    group = DuplicateEvent(TIME, UUID(int=5), "exact", "CONFIRMED")
    deed = ActionEvent(TIME, UUID(int=6), "moved", ASSET, UUID(int=5), "UNDONE")
    told = [json.loads(event_json(4711, NO_RUN, event)) for event in (group, deed)]
    outside = {"seq": 4711, "time": "2026-11-21T09:30:00.123Z", "run": None, "pipeline": None}
    assert told[0] == {
        "type": "duplicate", **outside, "duplicate": str(UUID(int=5)), "kind": "exact", "status": "CONFIRMED",
    }  # fmt: skip
    assert told[1] == {
        "type": "action", **outside, "action": str(UUID(int=6)), "kind": "moved", "asset": str(asset_uuid(ASSET)),
        "duplicate": str(UUID(int=5)), "status": "UNDONE",
    }  # fmt: skip
    assert json.loads(event_json(4711, RUN, deed))["run"] == str(RUN.uuid)
    for event in (group, deed):
        msgspec.json.decode(event_json(1, NO_RUN, event), type=Frame)
