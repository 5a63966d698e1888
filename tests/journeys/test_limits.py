"""Settings that hold an ingest back: the disk that is to stay free, and the speed of reading."""

import json
import time
from pathlib import Path
from typing import Any

import programs
from programs import CORTEX, Running


def notes(path: Path) -> str:
    return path.read_text("utf-8", "replace")


def test_a_run_is_paused_by_the_disk_and_can_be_cancelled(
    environment: dict[str, str], library: Path, tmp_path: Path
) -> None:
    """No disk has an exabyte to spare, so that the run stands still from the beginning."""
    for number in range(3000):
        (library / f"more-{number}.txt").write_text(f"text {number}")
    env = {**environment, "CORTEX_DISK_RESERVE": "1000000TB", "CORTEX_READ_LIMIT": "4KB"}
    running = Running(CORTEX, "ingest", library, "--json", env=env, folder=tmp_path)

    def paused() -> list[Any]:
        found = [json.loads(line) for line in running.out.splitlines() if line.startswith('{"message_type":"status"')]
        pauses = programs.query(tmp_path / "data", "SELECT owner, reason FROM run_pauses") if found else []
        return [pause for pause in pauses if pause[0] == "disk" and "are to be left" in pause[1]]

    programs.until(paused)
    programs.until(lambda: "the run is paused by disk" in running.err)
    running.process.terminate()
    assert running.process.wait(30) == 130
    summary = json.loads(running.out.splitlines()[-1])
    assert 0 < summary["assets"]["seen"] < 3006, "it stood still, and neither began with all files nor lost any"


def test_files_are_begun_with_no_faster_than_the_limit(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number}.bin").write_bytes(bytes([number]) * 100_000)
    env = {**environment, "CORTEX_READ_LIMIT": "1000000"}
    began = time.monotonic()
    running = Running(CORTEX, "ingest", folder, "--json", env=env, folder=tmp_path)
    assert running.process.wait(60) == 0
    assert time.monotonic() - began > 1.8, "three million bytes, of which the first second's are free"
    assert json.loads(running.out.splitlines()[-1])["assets"]["new"] == 30
