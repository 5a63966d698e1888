"""A step beside the workers that is tried again until it works."""

import json
from typing import Any

from deedoperator import DELIVERY, definition
from programs import until

FILES = 800


def test_while_one_asset_waits_for_its_next_attempt_all_others_go_on(bench: Any) -> None:
    there = bench.place / "there"
    document = definition()
    document["graph"]["nodes"][2] = {
        "id": "deliver", "operator": DELIVERY, "config": {"gate": str(there)}, "retries": 9,
    }  # fmt: skip
    document["graph"]["edges"][1]["to"]["node"] = "deliver"
    bench.file.write_text(json.dumps(document))
    ingest = bench.start("--json", "--events")

    def others_are_done() -> bool:
        assert ingest.process.poll() is None, "it ended before the others were done"
        return ingest.out.count('"type":"asset"') == FILES - 1

    until(others_are_done)
    there.touch()
    done = ingest.wait()
    assert done.code == 0, done.err + done.out
    assert done.summary["nodes"]["deliver"]["computed"] == FILES
    (tried,) = [event["attempts"] for event in done.of("event") if event.get("attempts", 1) > 1]
    assert 1 < tried <= 10
