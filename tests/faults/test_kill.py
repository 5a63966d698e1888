"""Whoever is killed, whenever: the next run ends with the same tables as an undisturbed one."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

COLUMNS = (
    "SELECT hex(a.blake3), a.size, a.kind, a.mime FROM assets a ORDER BY 1",
    "SELECT hex(a.blake3), hex(s.digest), r.state, r.verdict, r.error_code,"
    " CASE WHEN json_valid(r.outputs) THEN json(r.outputs) END"
    " FROM results r JOIN assets a ON a.id = r.asset JOIN signatures s ON s.id = r.signature ORDER BY 1, 2",
    "SELECT d.path, l.name, hex(a.blake3), l.size, l.mtime_ns, l.state FROM locations l"
    " JOIN directories d ON d.id = l.directory JOIN assets a ON a.id = l.asset ORDER BY 1, 2",
    "SELECT hex(digest), media_type, size FROM artifacts ORDER BY 1",
)


def tables(data: Path) -> list[list[Any]]:
    with sqlite3.connect(data / "loom.db") as database:
        found = [database.execute(query).fetchall() for query in COLUMNS]
    database.close()
    return found


def environment(data: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(data), "LOOM_DATA_DIR": str(data), "CORTEX_JOBS": "2"}


def command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "cortex", "ingest", str(folder), "--json"]


def children_of(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    rng = random.Random(7)
    for index in range(150):
        noise = Image.frombytes("L", (40, 30), rng.randbytes(1200)).resize((640, 480))
        noise.convert("RGB").save(folder / f"{index:03}.jpg", quality=85)
        os.utime(folder / f"{index:03}.jpg", (1_700_000_000, 1_700_000_000))
    return folder


def disturbed(data: Path, pictures: Path, moment: float) -> None:
    process = subprocess.Popen(
        command(pictures), env=environment(data), stdout=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 5
    while (left := children_of(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == [], "a killed run leaves no process behind"


@pytest.mark.parametrize("kills", [5, pytest.param(40, marks=pytest.mark.slow)])
def test_kill_9_at_random_moments(tmp_path: Path, pictures: Path, kills: int) -> None:
    rng = random.Random(kills)
    undisturbed = tmp_path / "undisturbed"
    subprocess.run(command(pictures), env=environment(undisturbed), check=True, stdout=subprocess.DEVNULL)
    data = tmp_path / "disturbed"
    for _ in range(kills):
        disturbed(data, pictures, rng.uniform(0.3, 2.0))
    subprocess.run(command(pictures), env=environment(data), check=True, stdout=subprocess.DEVNULL)
    assert tables(data) == tables(undisturbed)
    leftovers = [
        path.name
        for path in (data / "blobs").rglob("*")
        if path.is_file() and len(path.name) != 64 and path.name != ".lock"
    ]
    assert leftovers == []
