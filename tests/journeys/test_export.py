"""`cortex export`: stored results as lines."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cortex = Callable[..., Any]


@pytest.fixture
def ingested(cortex: Cortex, library: Path) -> Path:
    assert cortex("ingest", library, "-q").code == 3  # one picture is broken
    return library


def lines(cortex: Cortex, *options: object) -> list[dict[str, Any]]:
    done = cortex("export", *options)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.out.splitlines()]


def test_every_result_is_a_line_with_its_asset(cortex: Cortex, ingested: Path) -> None:
    found = lines(cortex)
    assert {line["node"] for line in found} == {"sha256", "metadata", "thumbnail"}
    assert len([line for line in found if line["node"] == "sha256"]) == 5
    named = {frozenset(Path(place["path"]).name for place in line["asset"]["locations"]): line for line in found}
    assert named[frozenset({"one.jpg", "copy of one.jpg"})]["asset"]["kind"] == "image"
    (broken,) = lines(cortex, "--state", "FAILED", "--node", "thumbnail")
    assert broken["error"]["message"]
    assert {line["asset"]["kind"] for line in lines(cortex, "--kind", "audio")} == {"audio"}
    inside = lines(cortex, "--path", f"{ingested}/sub/", "--node", "sha256", "--json")
    assert len(inside) == 2
    assert lines(cortex, "--captured-to", "1900-01-01") == []
    assert lines(cortex, "--text", "no such words", "--near", "0,0", "--box", "0,0,1,1") == []
    assert cortex("export", "--captured-from", "soon").code == 2
    assert cortex("export", "--near", "91,0").code == 2
    assert lines(cortex, "--color", "beige") == []
    assert cortex("export", "--color", "bege").code == 2


@pytest.mark.slow
def test_csv_has_the_same_in_columns(cortex: Cortex, ingested: Path) -> None:
    done = cortex("export", "--csv", "--node", "metadata")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    told = {row["blake3"]: json.loads(row["outputs"]) for row in rows}
    assert told == {line["asset"]["blake3"]: line["outputs"] for line in lines(cortex, "--node", "metadata")}
    assert all(row["path"].startswith(str(ingested)) for row in rows)
    assert cortex("export", "--csv", "--json").code == 2


def test_an_empty_loom_has_nothing_to_export(cortex: Cortex) -> None:
    assert lines(cortex) == []
