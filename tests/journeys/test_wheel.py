"""What is installed elsewhere: a wheel that is built from this repository, and Loom served from it alone."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest
from programs import Server, environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=100)
    (built,) = folder.glob("*.whl")
    return zipfile.Path(built)


def _files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize(
    ("there", "here"),
    [
        ("loom/page", "loom/page"),
        ("loom/_config", "config"),
        ("loom/store/migrations", "loom/store/migrations"),
        ("loom", "loom"),
        ("cortex", "cortex"),
    ],
)
def test_it_has_every_file_of_a_folder(wheel: zipfile.Path, project: Path, there: str, here: str) -> None:
    with zipfile.ZipFile(wheel.root.filename or "") as archive:
        packed = {name: archive.read(name) for name in archive.namelist() if name.startswith(f"{there}/")}
    expected = {f"{there}/{name}": content for name, content in _files(project / here).items()}
    assert expected
    assert {name for name in expected if packed.get(name) != expected[name]} == set()


def test_it_has_nothing_but_the_two_packages_and_their_description(wheel: zipfile.Path) -> None:
    names = sorted(path.name for path in wheel.iterdir())
    assert [name for name in names if not name.endswith(".dist-info")] == ["cortex", "loom"]
    (about,) = (path for path in wheel.iterdir() if path.name.endswith(".dist-info"))
    told = (about / "entry_points.txt").read_text()
    for entry in ("cortex = cortex.cli:main", "loom = loom.cli:main", "[loom.catalogues]", "[loom.workers]"):
        assert entry in told


def test_loom_is_served_from_it_with_its_page_and_pipelines(wheel: zipfile.Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel.root.filename or "") as archive:
        archive.extractall(installed)
    env = environment(tmp_path, PYTHONPATH=str(installed))
    where = subprocess.run(
        [sys.executable, "-c", "import loom, cortex; print(loom.__path__[0], cortex.__path__[0], sep='\\n')"],
        env=env, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert where.stdout.split() == [str(installed / name) for name in ("loom", "cortex")]
    server = Server(env, tmp_path)
    server.start()
    try:
        with httpx.Client(base_url=server.url, trust_env=False) as client:
            for name, content in _files(installed / "loom/page").items():
                answer = client.get("/" if name == "index.html" else f"/page/{name}")
                assert (answer.status_code, answer.content) == (200, content)
        (pipeline,) = server.get("/pipelines")["items"]
        assert pipeline["name"] == "ingest"
        assert "hash.sha256" in {operator["id"] for operator in server.get("/pipelines/operators")["items"]}
    finally:
        assert server.stop() == 0
    assert not list(installed.rglob("*.db")), "nothing is written beside the program"
    assert os.listdir(server.data)
