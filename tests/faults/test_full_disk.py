"""A disk that is full, or a file that may not grow: a sentence, nothing half-written, and it goes on with more room."""

import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image
from programs import CORTEX, LOOM, Done, Running, age, environment, tables

from loom.settings import shipped

PICTURES = 60


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures whose thumbnails are some 25 kB each."""
    folder = tmp_path_factory.mktemp("pictures")
    random = Random(11)
    for number in range(PICTURES):
        noise = Image.frombytes("RGB", (200, 150), random.randbytes(200 * 150 * 3)).resize((400, 300))
        noise.save(folder / f"{number:02}.jpg", quality=80)
    age(folder)
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a disk of that size, or gives the one that is mounted another size."""
    place = tmp_path / "disk"
    place.mkdir()

    def mount(size: str) -> Path:
        options = f"{'remount,' if place.is_mount() else ''}size={size}"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip("this user may not mount a disk of limited size")
        return place

    yield mount
    if place.is_mount():
        subprocess.run(["umount", "-l", place], check=True)


def ingest(folder: Path, env: dict[str, str], place: Path, **options: Any) -> Done:
    return Running(CORTEX, "ingest", folder, "--json", env=env, folder=place, **options).wait()


@pytest.fixture(scope="module")
def undisturbed(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    """The tables after an ingest with room enough."""
    place = tmp_path_factory.mktemp("undisturbed")
    env = environment(place)
    assert ingest(pictures, env, place).code == 0
    return tables(Path(env["LOOM_DATA_DIR"]))


def is_complete(pictures: Path, data: Path, env: dict[str, str], place: Path, undisturbed: list[list[Any]]) -> None:
    """The next ingest does the rest, and all is as if the disk had never been full."""
    second = ingest(pictures, env, place)
    assert second.code == 0, second.err + second.out
    leftovers = [path for path in data.rglob("*") if path.is_file() and path.parent.name == ".new"]
    assert leftovers == []
    verified = Running(LOOM, "verify", "--read-data", env=env, folder=place).wait()
    assert verified.code == 0, verified.out
    assert f"looked at {PICTURES} derived files and {PICTURES} originals" in verified.err
    assert " 0 findings" in verified.err
    assert ", 0 derived files that no result names" in verified.err
    assert tables(data) == undisturbed


def was_full(done: Done, folder: Path) -> None:
    """It says where there is no room, how much there is, and how to go on."""
    assert done.code == 1, done.err + done.out
    assert (done.error["code"], done.error["exit_code"]) == ("DISK_FULL", 1)
    assert "full" in done.error["message"] or "no room" in done.error["message"]
    assert str(folder) in done.error["message"]
    assert "MB of its disk are free" in done.error["message"]
    assert "once there is room, go on with: cortex ingest " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "kib", [pytest.param(100, marks=pytest.mark.slow), 700, pytest.param(1600, marks=pytest.mark.slow)]
)
def test_a_full_disk(
    pictures: Path, undisturbed: list[list[Any]], tmp_path: Path, small_disk: Callable[[str], Path], kib: int
) -> None:
    disk = small_disk(f"{kib}k")
    env = environment(tmp_path, LOOM_DATA_DIR=str(disk / "data"))
    was_full(ingest(pictures, env, tmp_path), disk)
    small_disk("64m")
    is_complete(pictures, disk / "data", env, tmp_path, undisturbed)


@pytest.mark.parametrize("kib", [16, *(pytest.param(kib, marks=pytest.mark.slow) for kib in (64, 300))])
def test_a_file_that_may_not_grow(pictures: Path, undisturbed: list[list[Any]], tmp_path: Path, kib: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, kib * 1024))

    env = environment(tmp_path)
    was_full(ingest(pictures, env, tmp_path, preexec_fn=limit), tmp_path / "data")
    is_complete(pictures, tmp_path / "data", env, tmp_path, undisturbed)


def test_a_full_cache_is_said(pictures: Path, tmp_path: Path, small_disk: Callable[[str], Path]) -> None:
    disk = small_disk("300k")
    env = environment(tmp_path, CORTEX_META_PATH=str(disk / "meta"))
    command = ("ingest", pictures, "--offline", "--pipeline", definition(tmp_path), "--json")
    was_full(Running(CORTEX, *command, env=env, folder=tmp_path).wait(), disk / "meta")
    small_disk("64m")
    done = Running(CORTEX, *command, env=env, folder=tmp_path).wait()
    assert done.code == 0, done.err
    again = Running(CORTEX, *command, env=env, folder=tmp_path).wait()
    assert again.summary["nodes"]["thumbnail"]["cached"] == PICTURES


def definition(place: Path) -> Path:
    file = place / "ingest.yaml"
    file.write_text(shipped("pipelines/ingest.yaml"))
    return file
