"""Cortex with a Loom server in another process."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import Server

Cortex = Callable[..., Any]


@pytest.mark.usefixtures("remote")
def test_an_ingest_through_a_server(cortex: Cortex, library: Path, server: Server) -> None:
    first = cortex("ingest", library, "--json")
    assert first.code == 3, first.err
    assert first.summary["nodes"]["sha256"]["computed"] == 5
    (run,) = server.get("/runs")["items"]
    assert (run["uuid"], run["state"]) == (first.summary["run"], "PARTIAL")
    assert run["assets"] == first.summary["assets"]
    assert len(server.get("/assets")["items"]) == 5
    assert "hash.sha256" in server.get("/workers")["items"][0]["operators"]
    second = cortex("ingest", library, "--json")
    assert second.summary["assets"]["unchanged"] == 6, second.err
    touched = library / "one.jpg"
    os.utime(touched, (1_710_000_000, 1_710_000_000))
    third = cortex("ingest", library, "--json").summary
    assert third["nodes"]["sha256"]["cached"] == 1, "the meta-path cache stands before Loom"
    assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.usefixtures("remote")
def test_what_the_cache_has_a_new_server_is_given(
    cortex: Cortex, library: Path, server: Server, tmp_path: Path
) -> None:
    cortex("ingest", library, "--json")
    server.stop()
    for path in sorted(server.data.rglob("*"), reverse=True):
        if path.name != "token":
            path.unlink() if path.is_file() else path.rmdir()
    server.start()
    again = cortex("ingest", library, "--json")
    assert again.summary["nodes"]["thumbnail"]["cached"] >= 3, again.err
    assert again.summary["nodes"]["thumbnail"]["computed"] == 0
    asset = next(a for a in server.get("/assets")["items"] if a["mime"] == "image/png")
    thumbnail = next(r for r in server.get(f"/assets/{asset['uuid']}/results")["items"] if r["node"] == "thumbnail")
    assert thumbnail["artifacts"][0]["size"] > 0


@pytest.mark.usefixtures("remote")
def test_a_server_that_is_not_there_ends_with_5(cortex: Cortex, library: Path, server: Server) -> None:
    server.stop()
    done = cortex("ingest", library, "--json")
    assert done.code == 5, done.err
    assert done.error["code"] == "LOOM_UNREACHABLE"


def test_a_second_process_talks_to_the_one_that_holds_the_folder(
    cortex: Cortex, library: Path, server: Server, environment: dict[str, str]
) -> None:
    environment["LOOM_DATA_DIR"] = str(server.data)
    done = cortex("ingest", library, "--json")
    assert done.code == 3, done.err
    assert len(server.get("/runs")["items"]) == 1


def test_offline_needs_no_loom_and_computes_once(cortex: Cortex, library: Path, tmp_path: Path) -> None:
    first = cortex("ingest", library, "--offline", "--json")
    assert first.code == 3, first.err
    assert not (tmp_path / "data").exists()
    second = cortex("ingest", library, "--offline", "--json").summary
    assert second["nodes"]["sha256"] == {"computed": 0, "cached": 5, "remote": 0, "skipped": 0, "failed": 0}
    assert second["nodes"]["thumbnail"]["computed"] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("remote")
def test_a_pipeline_from_a_file(cortex: Cortex, library: Path, server: Server, tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(cortex("pipeline", "pull", "ingest").out.replace("name: ingest", "name: own"))
    done = cortex("ingest", library, "--pipeline", file, "--json")
    assert done.code == 3, done.err + done.out
    (run,) = server.get("/runs")["items"]
    assert (run["uuid"], run["pipeline"], run["version"], run["state"]) == (done.summary["run"], "own", 1, "PARTIAL")
    assert server.get(f"/runs/{run['uuid']}") == run
    assert run["assets"] == done.summary["assets"]
    grouped = server.get(f"/failures?run={run['uuid']}")["items"]
    assert [one["newest"]["path"] for one in grouped] == [str(library / "broken.jpg")] * len(grouped)
    told = cortex("failures", "--run", run["uuid"], "--json").out.splitlines()
    assert [json.loads(line) for line in told] == grouped
    shown = json.loads(cortex("show", library / "two.png", "--json").out)
    assert {result["pipeline"] for result in shown["results"]} == {"own"}
    assert [one["name"] for one in server.get("/pipelines")["items"]] == ["ingest"]
    retried = cortex("failures", "--run", run["uuid"], "--retry", "--json")
    assert (retried.code, retried.summary["pipeline"], retried.summary["assets"]["failed"]) == (3, "own", 1)
    again = cortex("ingest", library, "--pipeline", file, "--json").summary["assets"]
    assert (again["unchanged"], again["failed"], again["failed_before"]) == (6, 0, 1)
