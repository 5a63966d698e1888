"""A file that is written to, or taken away, while a node works on it for long: nothing told of it stays without end."""

import json
from collections import defaultdict
from typing import Any

import pytest
from blake3 import blake3
from programs import Running, until

from loom.model import asset_uuid

ENDS = (["STARTED", "COMPLETED"], ["STARTED", "FAILED"], ["SKIPPED"])


def node_events(ingest: Running) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """What was told so far of each asset and node."""
    told: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in ingest.out.splitlines():
        event = json.loads(line) if line.startswith('{"message_type"') and line.endswith("}") else {}
        if event.get("type") == "node":
            told[event["asset"], event["node"]].append(event)
    return told


@pytest.mark.parametrize("what", ["rewritten", "taken away"])
def test_what_was_told_as_started_is_told_as_ended(bench: Any, what: str) -> None:
    file = bench.folder / "200.txt"
    key = str(asset_uuid(blake3(file.read_bytes()).digest())), "deed"
    ingest = bench.start("--json", "--events")
    bench.gate.reached()
    until(lambda: [event["status"] for event in node_events(ingest)[key]] == ["STARTED"])
    if what == "rewritten":
        file.write_text("other words altogether\n")
    else:
        file.unlink()
    bench.gate.open()
    done = ingest.wait()
    assert done.code == 0, done.err
    told = node_events(ingest)
    assert [events for events in told.values() if [e["status"] for e in events] not in ENDS] == []
    assert (told[key][1]["status"], told[key][1]["error"]["code"]) == ("FAILED", "CHANGED_WHILE_READ")
