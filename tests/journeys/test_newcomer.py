"""A newcomer ingests a folder, twice, moves files about, and looks at what there is."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

Cortex = Callable[..., Any]


def test_the_first_run_computes_and_the_second_does_nothing(cortex: Cortex, library: Path) -> None:
    first = cortex("ingest", library, "--json")
    assert first.code == 3, first.err
    assert first.summary["state"] == "PARTIAL"
    assets = first.summary["assets"]
    assert (assets["seen"], assets["new"], assets["failed"], assets["completed"]) == (6, 5, 1, 5)
    assert first.summary["nodes"]["sha256"]["computed"] == 5
    (failure,) = first.of("failure")
    assert failure["path"].endswith("broken.jpg")
    assert failure["node"] == "thumbnail"
    assert failure["code"].startswith("FILE_")

    second = cortex("ingest", library, "--json")
    assert second.code == 0, second.err
    assert second.summary["state"] == "COMPLETED"
    assert second.summary["assets"]["unchanged"] == 6
    assert all(not any(counts.values()) for counts in second.summary["nodes"].values())
    assert second.summary["bytes"] == 0


def test_touched_files_are_read_again_but_nothing_is_computed(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library, "--json")
    os.utime(library / "one.jpg", (1_710_000_000, 1_710_000_000))
    again = cortex("ingest", library, "--json").summary
    assert again["assets"]["unchanged"] == 5
    assert again["assets"]["new"] == again["assets"]["moved"] == 0
    assert again["nodes"]["sha256"] == {"computed": 0, "cached": 0, "remote": 1, "skipped": 0, "failed": 0}
    assert cortex("ingest", library, "--json").summary["assets"]["unchanged"] == 6


def test_moved_and_renamed_files_keep_everything(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library, "--json")
    (library / "two.png").rename(library / "TWO.png")
    (library / "sub").rename(library / "elsewhere")
    moved = cortex("ingest", library, "--json").summary
    assert moved["assets"]["new"] == 0
    assert moved["assets"]["moved"] == 3
    assert moved["nodes"]["thumbnail"]["computed"] == 0
    shown = cortex("show", library / "TWO.png")
    assert shown.code == 0, shown.err
    assert "missing" in shown.out


def test_a_failure_seen_before_is_not_tried_again(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library, "--json")
    shutil.copy2(library / "broken.jpg", library / "broken too.jpg")
    again = cortex("ingest", library, "--json")
    assert again.code == 0
    assert again.summary["assets"]["failed_before"] == 2, "the one that is as it was, and its copy"
    assert again.summary["nodes"]["thumbnail"]["failed"] == 0


def test_failures_are_listed_by_cause_and_can_be_tried_again(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library, "--json")
    listed = cortex("failures")
    assert "broken.jpg" in listed.out
    assert "at thumbnail" in listed.out
    good = (library / "one.jpg").read_bytes()
    retried = cortex("failures", "--retry", "--json")
    assert retried.code == 3, retried.err
    assert retried.summary["nodes"]["thumbnail"]["failed"] == 1
    assert retried.summary["nodes"]["sha256"]["computed"] == 0
    (library / "broken.jpg").write_bytes(good[:-1] + b"\xd9")
    assert cortex("ingest", library, "--json").code == 0


def test_show_tells_all_of_a_file(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library, "--json")
    shown = cortex("show", library / "one.jpg")
    assert "image/jpeg" in shown.out
    assert "copy of one.jpg" in shown.out
    assert "[thumbnail] image/" in shown.out
    assert cortex("show", library / "nothing.jpg").code == 1


def test_a_missing_folder_is_unreachable_and_nothing_is_lost(cortex: Cortex, library: Path) -> None:
    cortex("ingest", library, "--json")
    library.rename(library.with_name("away"))
    gone = cortex("ingest", library, "--json")
    assert gone.code == 4, gone.err
    library.with_name("away").rename(library)
    back = cortex("ingest", library, "--json")
    assert back.summary["nodes"]["sha256"]["computed"] == 0
    assert cortex("ingest", library, "--json").summary["assets"]["unchanged"] == 6


def test_wrong_usage_ends_with_2(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    assert cortex("ingest").code == 2
    assert cortex("ingest", library, "--no-such-option").code == 2
    assert cortex("ingest", library, "--pipeline", "no-such-pipeline").code != 0
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: Bad Name\ngraph: {nodes: [{id: a, operator: no.such}], edges: []}\n")
    refused = cortex("ingest", library, "--pipeline", bad)
    assert refused.code == 2
