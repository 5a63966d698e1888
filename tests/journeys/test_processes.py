"""Process pipelines as a user runs and watches them: `cortex shm run`, `cortex shm top`, Loom's page and metrics."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import CORTEX, Running, Server, environment, until

STAGES = """
import os, time
import numpy as np

GATE = os.environ.get("GATE", "")

def source(out):
    for number in range(200):
        out.write(np.full((8,), number, np.uint16), None)
    while GATE and not os.path.exists(GATE):
        time.sleep(0.01)

def double(frames, out):
    while True:
        out.write(frames.read(None) * np.uint16(2), None)

def total(frames):
    for number in range(200):
        assert frames.read(None)[0] == number * 2

def strict(frames):
    frames.read(None)
    raise ValueError("this frame is not to my liking")
"""

PIPELINE = """format_version = 1
name = "doubling"
streams = [
    {{ name = "numbers", shape = [8], dtype = "<u2" }},
    {{ name = "doubled", shape = [8], dtype = "<u2", max_bytes = 4096 }},
]
[[tasks]]
name = "source"
function_module = "stages"
function_qualname = "source"
writes = {{ out = "numbers" }}
[[tasks]]
name = "double"
function_module = "stages"
function_qualname = "double"
reads = {{ frames = "numbers" }}
writes = {{ out = "doubled" }}
[[tasks]]
name = "last"
function_module = "stages"
function_qualname = "{last}"
reads = {{ frames = "doubled" }}
"""


class Bench:
    """A folder with a module of stages, and the command beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gate = folder / "gate"
        self.env = environment(folder, GATE=str(self.gate))
        (folder / "stages.py").write_text(STAGES)

    def file(self, last: str = "total") -> Path:
        path = self.folder / f"{last}.toml"
        path.write_text(PIPELINE.format(last=last))
        return path

    def start(self, *arguments: object) -> Running:
        return Running((*CORTEX, "shm"), *arguments, env=self.env, folder=self.folder)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def server(bench: Bench) -> Iterator[Server]:
    server = Server(bench.env, bench.folder)
    server.start()
    yield server
    server.stop()


def test_a_pipeline_is_run_seen_and_told_of(bench: Bench, server: Server) -> None:
    bench.env["LOOM_TOKEN"] = server.token
    running = bench.start("run", bench.file(), "--allow", "stages", "--loom", server.url, "--json")

    def written() -> list[int]:
        known = server.get("/process-pipelines")["items"]
        return [stream["written"] for one in known for stream in one["streams"]]

    until(lambda: written() == [200, 200] or running.process.poll() is not None)
    by_name, by_file = (bench.start("top", which, "--once") for which in ("doubling", bench.file()))
    for top in (by_name, by_file):
        assert top.wait().code == 0, top.err
        assert "source → double" in top.out
    request = urllib.request.Request(f"{server.url}/metrics", headers={"Authorization": f"Bearer {server.token}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    frames = [line for line in lines if line.startswith("loom_process_stream_frames_total{") and "doubled" in line]
    assert [line.split()[-1] for line in frames] == ["200"]

    bench.gate.touch()
    assert running.wait().code == 0, running.err
    told = json.loads(running.out)
    assert (told["name"], told["state"], told["error"]) == ("doubling", "ENDED", None)
    until(lambda: server.get("/process-pipelines")["items"][0]["state"] == "ENDED")
    running.leaves_nobody()
    assert bench.start("top", "doubling").wait().code == 1


def test_a_task_that_fails_is_told_with_its_reason(bench: Bench) -> None:
    bench.gate.touch()
    running = bench.start("run", bench.file("strict"))
    done = running.wait()
    assert done.code == 1
    assert "error: The task 'last' failed: ValueError: this frame is not to my liking" in done.err
    assert "in strict" in done.err
    assert "failed" in done.out
    running.leaves_nobody()


def test_an_interrupt_stops_the_tasks(bench: Bench) -> None:
    running = bench.start("run", bench.file(), "--quiet")
    until(lambda: "doubling" in bench.start("top", "--json").wait().out)
    running.signal(signal.SIGINT, group=True)
    done = running.wait()
    assert (done.code, done.out) == (130, "")
    running.leaves_nobody()


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda text: text.replace("max_bytes = 4096", "max_bites = 1"), 2, "max_bites"),
        (lambda text: text.replace('"stages"', '"os"'), 2, "'os'"),
        (lambda text: text.replace('"<u2"', '"O"'), 2, "numbers"),
        (lambda text: text.replace("shape = [8]", f"shape = [{2**45}]"), 1, "MiB are available"),
        (lambda text: "no TOML", 2, "DEFINITION_INVALID"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(bench: Bench, change: object, code: int, said: str) -> None:
    file = bench.file()
    assert callable(change)
    file.write_text(change(file.read_text()))
    done = bench.start("run", file, "--allow", "stages").wait()
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "Traceback" not in done.err
