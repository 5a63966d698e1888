"""Whoever reads the output hangs up, or its device is full: the command ends in order, with a sentence at most."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from programs import CORTEX, LOOM, Running, environment, query, tables

FULL = "DISK_FULL: The output cannot be written: No space left on device.\n"
COMMANDS = pytest.mark.parametrize(
    "command",
    [
        (*CORTEX, "--version"), (*CORTEX, "operators"), (*CORTEX, "operators", "hash.sha256", "--json"),
        (*CORTEX, "config"), (*LOOM, "config", "--json"),
    ],
    ids=lambda command: "-".join(command[2:]),
)  # fmt: skip


@pytest.fixture
def full() -> Iterator[BinaryIO]:
    device = Path("/dev/full")
    if not device.exists():
        pytest.skip("this system has no device that is always full")
    with device.open("wb") as opened:
        yield opened


def run(command: tuple[str, ...], place: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    given = {"stderr": subprocess.PIPE} | options
    return subprocess.run(command, env=environment(place), cwd=place, text=True, timeout=60, check=False, **given)


@COMMANDS
def test_a_reader_that_has_hung_up_needs_no_words(tmp_path: Path, command: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = run(command, tmp_path, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


@COMMANDS
def test_a_full_device_is_said_in_a_sentence(tmp_path: Path, full: BinaryIO, command: tuple[str, ...]) -> None:
    done = run(command, tmp_path, stdout=full)
    assert done.returncode == 1
    assert done.stderr in (FULL, FULL.replace("The output", "The output or a file")), "much is written at once"


def test_a_full_device_for_messages_changes_no_exit_code(tmp_path: Path, full: BinaryIO) -> None:
    for arguments, code in ((("nonsense",), 2), (("show", "/nothing"), 1), (("ingest", tmp_path / "nothing"), 4)):
        command = (*CORTEX, *map(str, arguments))
        assert run(command, tmp_path, stdout=subprocess.PIPE, stderr=full).returncode == code, command


def test_closed_streams_are_taken_for_nothing(tmp_path: Path) -> None:
    """No file of ours may come to stand for one of them."""
    (tmp_path / "one.txt").write_text("one")
    shell = ("bash", "-c", f'{sys.executable} -m cortex ingest one.txt "$@" <&- >&- 2>&-', "bash")
    assert run((*shell, "--json", "--events"), tmp_path).returncode == 0
    assert run((*shell, "--pipeline", "none"), tmp_path).returncode == 1
    assert query(tmp_path / "data", "SELECT count(*) FROM assets") == [(1,)]
    assert run(("bash", "-c", f"{sys.executable} -m loom config --json >&-"), tmp_path).returncode == 0


def ended_in_order(bench: Any, ingest: Running) -> str:
    """What it said on stderr: it stopped, and what it has stored is whole."""
    time.sleep(0.5)  # it talks ten times a second, and learns by that
    bench.gate.open()
    done = ingest.wait()
    assert done.code == 1, done.err
    ((kept,),) = query(bench.data, "SELECT count(*) FROM locations")
    assert kept < 800
    assert query(bench.data, "SELECT count(*) FROM results") == [(2 * kept,)]
    assert bench.run_states() == ["CANCELLED"]
    second = bench.run()
    assert (second.code, second.summary["assets"]["unchanged"]) == (0, kept), second.err
    assert tables(bench.data) == bench.undisturbed()
    return done.err


@pytest.mark.parametrize("more", [pytest.param((), marks=pytest.mark.slow), ("--events",)], ids=["status", "events"])
def test_an_ingest_that_nobody_reads_ends_in_order(bench: Any, more: tuple[str, ...]) -> None:
    ingest = bench.start("--json", *more, stdout=subprocess.PIPE)
    bench.gate.reached()
    assert ingest.process.stdout.readline().startswith(b'{"message_type":"')
    ingest.process.stdout.close()
    assert ended_in_order(bench, ingest) == ""


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("--events",)], ids=["status", "events"])
def test_an_ingest_whose_output_is_full_ends_in_order(bench: Any, full: BinaryIO, more: tuple[str, ...]) -> None:
    ingest = bench.start("--json", *more, stdout=full)
    bench.gate.reached(lambda: ingest.process.poll() is not None)
    assert ended_in_order(bench, ingest) == FULL


def test_a_summary_that_nobody_reads(bench: Any) -> None:
    """All is done by then."""
    bench.gate.open()
    reader, writer = os.pipe()
    os.close(reader)
    done = bench.start(stdout=writer).wait()
    os.close(writer)
    assert (done.code, done.err) == (1, "")
    assert bench.run_states() == ["COMPLETED"]
