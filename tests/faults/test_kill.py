"""Whoever is killed, whenever: the next run ends with the same tables as an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from programs import session_of, tables


def environment(data: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(data), "LOOM_DATA_DIR": str(data), "CORTEX_JOBS": "2"}


def command(folder: Path) -> list[str]:
    return [sys.executable, "-m", "cortex", "ingest", str(folder), "--json"]


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
    while (left := session_of(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == [], "a killed run leaves no process behind"


@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.slow)])
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
