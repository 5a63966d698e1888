"""What is left of the workers when the process that started them is killed, interrupted or ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sandboxes import processes_of

WITHOUT_MAIN_GUARD = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
with Path({counter!r}).open("a") as file:
    file.write("x")
from sandboxes import QUICK, item, sandbox, walk_all
print("began", flush=True)
with sandbox(limits=QUICK._replace(base_s=600.0)) as box:
    for walked in box.run(iter([{items}]), walk_all):
        print(walked.token, flush=True)
print("ended", flush=True)
"""

Start = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a script that walks the items given as Python text, in a process group of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(items: str) -> subprocess.Popen[str]:
        text = WITHOUT_MAIN_GUARD.format(path=sys.path, counter=str(tmp_path / "runs"), items=items)
        (tmp_path / "script.py").write_text(text)
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "script.py")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _looping(parent: int) -> set[int]:
    """The processes below `parent`, once two of them are in an endless loop."""
    while True:
        below = processes_of(parent)
        if sum(_cpu_ticks(pid) > 5 and _is_running(pid) for pid in below) >= 2 and len(below) == 3:
            return below
        time.sleep(0.02)


def _cpu_ticks(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])
    except OSError:
        return 0


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "R"
    except OSError:
        return False


def _wait_for_end(pids: set[int]) -> set[int]:
    """Those that are still there after a while."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not (left := {pid for pid in pids if _is_there(pid)}):
            return set()
        time.sleep(0.01)
    return left


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_no_worker_outlives_a_parent_that_is_killed(start: Start) -> None:
    process = start('item(1, "loop@0"), item(2, "loop@0")')
    below = _looping(process.pid)
    process.kill()
    assert _wait_for_end(below) == set()


def test_no_worker_outlives_its_server(start: Start) -> None:
    process = start('item(1, "loop@0"), item(2, "loop@0")')
    below = _looping(process.pid)
    os.kill(min(below), signal.SIGSTOP)
    process.kill()
    os.kill(min(below), signal.SIGKILL)
    assert _wait_for_end(below) == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_parent_decides_what_a_signal_to_the_group_means(start: Start, number: signal.Signals) -> None:
    process = start('item(1, "slow@0"), item(2, "slow@0"), item(3, "slow@0"), item(4, "slow@0")')
    assert process.stdout is not None
    assert process.stderr is not None
    first = [process.stdout.readline().strip(), process.stdout.readline().strip()]
    assert first[0] == "began"
    below = processes_of(process.pid)
    for pid in below:
        os.kill(pid, number)
    rest = process.stdout.read().split()
    assert sorted([*first[1:], *rest]) == ["1", "2", "3", "4", "ended"]
    assert process.stderr.read() == ""
    assert process.wait(20) == 0


def test_a_script_without_main_guard_is_run_once(start: Start, tmp_path: Path) -> None:
    out, err = start("item(1)").communicate(timeout=20)
    assert out.split() == ["began", "1", "ended"]
    assert err == ""
    assert (tmp_path / "runs").read_text() == "x"
