"""Ctrl-C and SIGTERM: once ends in order, twice at once, and the next run completes the rest."""

import json
import resource
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deedoperator import definition
from programs import CORTEX, Running, Server, environment, query, tables, until

from cortex.engine.board import Board
from cortex.engine.headstart import launch


def interrupts(*, quick: str) -> pytest.MarkDecorator:
    """Both; the other one takes its time."""

    def one(name: str, number: int, group: bool) -> Any:
        return pytest.param(number, group, id=name, marks=() if name == quick else pytest.mark.slow)

    both = [one("ctrl-c", signal.SIGINT, True), one("sigterm", signal.SIGTERM, False)]
    return pytest.mark.parametrize(("number", "group"), both)


@interrupts(quick="ctrl-c")
def test_once_finishes_what_is_in_flight(bench: Any, number: int, group: bool) -> None:
    ingest = bench.start("--json")
    bench.gate.reached()
    ingest.signal(number, group=group)
    bench.gate.open()
    done = ingest.wait()
    assert done.code == 130, done.err
    ingest.leaves_nobody()
    assets = done.summary["assets"]
    assert done.summary["state"] == "CANCELLED"
    assert assets["failed"] == 0
    assert 0 < assets["completed"] < 800
    assert query(bench.data, "SELECT count(*) FROM locations") == [(assets["completed"],)]
    assert query(bench.data, "SELECT count(*) FROM results") == [(2 * assets["completed"],)]
    assert bench.run_states() == ["CANCELLED"]
    assert f"cortex ingest {bench.folder} --pipeline {bench.pipeline}" in done.err
    second = bench.run()
    assert second.code == 0, second.err
    assert second.summary["assets"]["unchanged"] == assets["completed"]
    assert second.summary["assets"]["new"] == 800 - assets["completed"]
    assert tables(bench.data) == bench.undisturbed()


@interrupts(quick="sigterm")
def test_twice_ends_at_once(bench: Any, number: int, group: bool) -> None:
    ingest = bench.start()
    bench.gate.reached()
    started = time.monotonic()
    ingest.signal(number, group=group)
    time.sleep(0.2)  # as a person would: signals that come together are one
    assert ingest.process.poll() is None, "an ingest that was asked once waits for what is in flight"
    ingest.signal(number, group=group)
    done = ingest.wait(5)
    assert time.monotonic() - started < 3
    assert done.code == 130, done.err
    assert f"cortex ingest {bench.folder} --pipeline {bench.pipeline}" in done.err
    assert "Traceback" not in done.err
    ingest.leaves_nobody()
    bench.gate.open()
    second = bench.run()
    assert second.code == 0, second.err
    assert tables(bench.data) == bench.undisturbed()


@interrupts(quick="ctrl-c")
def test_while_it_gets_ready(bench: Any, number: int, group: bool) -> None:
    ingest = bench.start()
    until((bench.data / "lock").exists)
    ingest.signal(number, group=group)
    done = ingest.wait()
    # an interpreter that was interrupted in `exec` ends by SIGINT, which a shell shows as 130 as well
    assert done.code in (130, -signal.SIGINT), done.err
    assert f"go on with: cortex ingest {bench.folder} --pipeline {bench.pipeline}" in done.err
    ingest.leaves_nobody()
    bench.gate.open()
    assert bench.run().code == 0
    assert tables(bench.data) == bench.undisturbed()


HOOK = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == os.environ["INTERRUPTED_AT"]:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), int(os.environ["INTERRUPTED_BY"]))

sys.meta_path.insert(0, Interrupting())
"""
"""Sends a signal when a module is about to be imported."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("cortex.engine.garbage", "Interrupted before anything was begun.\n"),
        ("typer", "Interrupted before anything was begun.\n"),
        ("pydantic._migration", "Interrupted before anything was begun.\n"),
        ("cortex.app", "Interrupted. What was done is kept; go on with: cortex ingest /nowhere\n"),
    ],
)
def test_while_its_modules_are_imported(tmp_path: Path, module: str, words: str, number: int) -> None:
    """The command line is understood with the help of pydantic, before a command begins."""
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    variables = environment(tmp_path, PYTHONPATH=str(tmp_path), INTERRUPTED_AT=module, INTERRUPTED_BY=str(int(number)))
    done = Running(CORTEX, "ingest", "/nowhere", env=variables, folder=tmp_path).wait()
    assert (done.code, done.err, done.out) == (130, words, "")


@pytest.mark.slow
@pytest.mark.parametrize("lines", [True, False], ids=["lines", "words"])
def test_an_error_after_an_interrupt_is_told_beside_it(bench: Any, lines: bool) -> None:
    """Which of them came first a person knows; a program goes by the exit code, and an interrupted run is to go on."""
    ingest = bench.start(*["--json"] * lines)
    bench.gate.reached()
    ingest.signal(signal.SIGINT)
    resource.prlimit(ingest.process.pid, resource.RLIMIT_FSIZE, (65536, 65536))
    bench.gate.open()
    done = ingest.wait()
    assert done.code == 130, done.err
    if lines:
        assert (done.error["code"], done.error["exit_code"]) == ("DISK_FULL", 130)
    else:
        assert "DISK_FULL: " in done.err
    assert f"go on with: cortex ingest {bench.folder} --pipeline {bench.pipeline}" in done.err
    assert bench.run().code == 0
    assert tables(bench.data) == bench.undisturbed()


@pytest.mark.slow
def test_a_server_that_is_away_after_an_interrupt(
    bench: Any, server: Server, patched: Callable[[str], tuple[str, ...]]
) -> None:
    ingest = bench.start("--json", command=patched("import cortex.app; cortex.app.FLUSH_GRACE_S = 0.5"))
    bench.gate.reached()
    server.stop(signal.SIGKILL)
    ingest.signal(signal.SIGINT)
    bench.gate.open()
    done = ingest.wait()
    assert done.code == 130, done.err
    assert (done.error["code"], done.error["exit_code"]) == ("LOOM_UNREACHABLE", 130)
    assert "go on with: " in done.err
    server.start()
    assert bench.run().code == 0
    assert server.stop() == 0
    assert tables(server.data) == bench.undisturbed()


@pytest.mark.slow
def test_failures_that_are_tried_again_pipeline_by_pipeline(bench: Any) -> None:
    """One Ctrl-C is for all of them."""
    folder = bench.place / "loops"
    folder.mkdir()
    (folder / "one.txt").write_text("loop for ever")
    for name in ("first", "second"):
        file = bench.place / f"{name}.json"
        file.write_text(json.dumps(definition(name=name, config={"target": name}, timeout_s=0.5)))
        pushed = Running(CORTEX, "pipeline", "push", file, env=bench.env, folder=bench.place).wait()
        assert pushed.code == 0, pushed.err
        failed = Running(CORTEX, "ingest", folder, "--pipeline", name, env=bench.env, folder=bench.place).wait()
        assert failed.code == 3, failed.err
    retry = Running(CORTEX, "failures", "--retry", env=bench.env, folder=bench.place)
    until(lambda: len(query(bench.data, "SELECT uuid FROM runs")) == 3)
    retry.signal(signal.SIGINT)
    done = retry.wait()
    assert done.code == 130, done.err
    assert len(query(bench.data, "SELECT uuid FROM runs")) == 3, "the second pipeline was not begun with"
    assert done.err.count("go on with: cortex ingest --pipeline first") == 1


def test_a_fork_server_ignores_signals_from_its_first_moment() -> None:
    board = Board(1)
    server = launch(board, byte_code=True)
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    server.end()
    board.close()
    masks = {
        name: int(value, 16)
        for name, _, value in (line.partition(":") for line in lines)
        if name[:3] == "Sig" and "/" not in value
    }
    assert (masks["SigBlk"] | masks["SigIgn"]) >> (signal.SIGINT - 1) & 1
