"""Runs asked for over HTTP and on the command line, executed by workers in other processes."""

import json
import os
import platform
import shutil
import signal
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from programs import CORTEX, LOOM, Running, Server, session_of, until

from loom.bus.frames import NodeFrame, RunFrame
from loom.client import LoomClient
from loom.sources import Source, SourceOptions
from loom.steering import RunRequest

Cortex = Callable[..., Any]


@pytest.fixture
def worker(remote: dict[str, str], tmp_path: Path) -> Iterator[Running]:
    running = Running(CORTEX, "worker", env=remote, folder=tmp_path)
    yield running
    running.kill()


def started(cortex: Cortex, *arguments: object) -> dict[str, Any]:
    done = cortex("runs", "start", *arguments, "--json")
    assert done.code == 0, done.err
    told: dict[str, Any] = json.loads(done.out)
    return told


def ended(server: Server, uuid: str) -> dict[str, Any]:
    def state() -> str:
        return str(server.get(f"/runs/{uuid}")["state"])

    until(lambda: state() not in ("QUEUED", "RUNNING"))
    told: dict[str, Any] = server.get(f"/runs/{uuid}")
    return told


@pytest.mark.usefixtures("worker")
def test_a_run_that_is_asked_for_is_executed(cortex: Cortex, library: Path, server: Server) -> None:
    queued = started(cortex, "ingest", library)
    assert queued["state"] == "QUEUED"
    run = ended(server, queued["uuid"])
    assert (run["state"], run["assets"]["seen"], run["nodes"]["sha256"]["computed"]) == ("PARTIAL", 6, 5)
    assert run["worker"] != queued["worker"]
    again = ended(server, started(cortex, "ingest", "--glob", f"{library}/*.jpg", "--recompute", "sha256")["uuid"])
    assert again["nodes"]["sha256"]["computed"] == 2
    (picture,) = [a["uuid"] for a in server.get("/assets")["items"] if a["mime"] == "image/png"]
    one = ended(server, started(cortex, "ingest", "--asset", picture, "--recompute", "all")["uuid"])
    assert (one["assets"]["seen"], one["nodes"]["metadata"]["computed"]) == (1, 1)


@pytest.mark.usefixtures("worker")
def test_a_run_over_a_source_has_its_options(server: Server, library: Path) -> None:
    wish = RunRequest(uuid=uuid4(), pipeline="ingest", version=0, queued=0, source="pictures")
    options = SourceOptions(include=("*.jpg",), exclude=("broken*",))
    with LoomClient(server.url, server.token) as client:
        client.save_source(Source(name="pictures", host=platform.node(), path=os.fsencode(library), options=options))
        run = ended(server, str(client.request_run(wish).uuid))
        assert (run["state"], run["assets"]["seen"]) == ("COMPLETED", 2)
        shutil.rmtree(library)
        away = ended(server, str(client.request_run(msgspec.structs.replace(wish, uuid=uuid4())).uuid))
    assert (away["state"], away["problems"]) == ("FAILED", 1), "it does not wait for ever"


@pytest.mark.usefixtures("worker")
def test_a_dry_run_that_is_asked_for_leaves_no_row(cortex: Cortex, library: Path, server: Server) -> None:
    run = ended(server, started(cortex, "ingest", library, "--dry-run")["uuid"])
    assert (run["dry_run"], run["state"], run["nodes"]["sha256"]["computed"]) == (True, "PARTIAL", 5)
    assert run["would_write"]["results"] >= 9
    assert server.get("/assets")["items"] == []
    with LoomClient(server.url, server.token) as client:
        frames = list(client.events(after=0, idle=0.5))
    nodes = [one for one in frames if isinstance(one, NodeFrame)]
    assert len({one.asset for one in nodes if one.node == "sha256" and one.status == "COMPLETED"}) == 5
    assert all(one.dry_run and str(one.run) == run["uuid"] for one in nodes)
    assert [one.status for one in frames if isinstance(one, RunFrame)] == ["QUEUED", "STARTED", "PARTIAL"]


@pytest.mark.slow
@pytest.mark.usefixtures("worker")
def test_a_run_that_cannot_be_done_says_why(cortex: Cortex, library: Path, server: Server) -> None:
    run = ended(server, started(cortex, "ingest", library / "not there")["uuid"])
    assert (run["state"], run["error"]["code"], run["problems"]) == ("FAILED", "SOURCE_UNREACHABLE", 1)
    assert str(library / "not there") in run["error"]["message"]
    shown = cortex("runs", "show", run["uuid"]).out
    assert f"{library / 'not there'}: there is no such file or folder" in shown
    run = ended(server, started(cortex, "ingest", library, library / "not there")["uuid"])
    assert (run["state"], run["assets"]["seen"]) == ("PARTIAL", 6)
    told = cortex("failures", "--run", run["uuid"]).out
    assert "SOURCE_UNREACHABLE" in told
    assert "FILE_TRUNCATED" in told
    lines = [json.loads(line) for line in cortex("failures", "--run", run["uuid"], "--json").out.splitlines()]
    assert [(line["code"], line["path"]) for line in lines if "path" in line] == [
        ("SOURCE_UNREACHABLE", str(library / "not there"))
    ]
    assert "SOURCE" not in cortex("failures", "--run", run["uuid"], "--code", "FILE_TRUNCATED").out


@pytest.mark.usefixtures("worker")
def test_a_run_over_a_filter_that_fits_nothing_has_nothing_to_do(server: Server) -> None:
    request = urllib.request.Request(
        f"{server.url}/api/v1/pipelines/ingest/runs",
        data=b'{"filter":{"kind":"video"}}',
        headers={"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        uuid = json.load(answer)["uuid"]
    run = ended(server, uuid)
    assert (run["state"], run["assets"]["seen"], run["error"]) == ("COMPLETED", 0, None)


def test_what_failed_is_tried_again_over_http(cortex: Cortex, library: Path, server: Server, worker: Running) -> None:
    first = ended(server, started(cortex, "ingest", library)["uuid"])
    (library / "broken.jpg").unlink()
    request = urllib.request.Request(
        f"{server.url}/api/v1/runs/{first['uuid']}/retry",
        data=b'{"node":"thumbnail"}',
        headers={"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        (retried,) = json.load(answer)["items"]
    assert ended(server, retried["uuid"])["assets"]["seen"] <= 1
    assert worker.process.poll() is None


@pytest.mark.slow
def test_a_worker_that_is_told_to_end_gives_its_run_back(
    cortex: Cortex, library: Path, server: Server, worker: Running, remote: dict[str, str], tmp_path: Path
) -> None:
    for number in range(3000):
        (library / f"{number}.txt").write_text(f"text {number}")
    uuid = started(cortex, "ingest", library)["uuid"]
    until(lambda: server.get(f"/runs/{uuid}")["state"] == "RUNNING")
    worker.signal(signal.SIGTERM)
    assert worker.wait().code == 0
    assert server.get(f"/runs/{uuid}")["state"] in ("QUEUED", "RUNNING")
    other = Running(CORTEX, "worker", env=remote, folder=tmp_path)
    try:
        run = ended(server, uuid)
        assert run["state"] == "PARTIAL"
        assert (run["assets"]["seen"], run["assets"]["new"], run["assets"]["unchanged"]) == (3006, 3005, 0)
        assert (run["assets"]["failed"], run["assets"]["failed_before"]) == (1, 0)
        assert run["nodes"]["sha256"]["computed"] == 3005
    finally:
        other.kill()
    assert len(server.get("/assets?limit=500")["items"]) == 500
    assert server.get("/runs")["items"][0]["uuid"] == uuid


@pytest.mark.slow
def test_a_served_loom_may_have_a_worker_beside_it(cortex: Cortex, library: Path, remote: dict[str, str]) -> None:
    """`make serve`."""
    del remote["LOOM_URL"], remote["LOOM_TOKEN"]
    folder = Path(remote["LOOM_DATA_DIR"]).parent
    served = Running(LOOM, "serve", "--worker", "--port", 0, env=remote, folder=folder)
    try:
        until(lambda: "waits for runs" in served.err)
        uuid = started(cortex, "ingest", library)["uuid"]
        until(lambda: json.loads(cortex("runs", "show", uuid, "--json").out)["state"] == "PARTIAL")
        served.signal(signal.SIGINT)
        assert served.wait(40).code == 0
        until(lambda: not session_of(served.process.pid), 5)
    finally:
        served.kill()
