"""A Chromium, and a `loom serve` over a small library that was ingested once; each test begins signed in, and fails
for anything that the browser's console complained about."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import programs
import pytest
import yaml
from browser import DESK, Browser
from PIL import Image
from programs import CORTEX, Server, age
from realmedia import RealMedia


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("chromium") / "profile")
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Of a short name, since it is to be seen in pictures."""
    with tempfile.TemporaryDirectory(prefix="loom-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def library(folder: Path, media: RealMedia) -> Path:
    """Photographs, a film, music, texts, and two files that are broken in the same way."""
    library = folder / "library"
    for below, path in media.household():
        target = library / below
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    for name in ("astronaut", "coffee", "coins", "color", "grass", "hubble_deep_field", "motorcycle_left", "rocket"):
        if name in media.images:
            with Image.open(media.images[name]) as image:
                image.convert("RGB").save(library / f"{name}.jpg", quality=88)
    for name, size in (("broken", 3000), ("cut off", 2500)):
        (library / f"{name}.jpg").write_bytes((library / "2024/cup.jpg").read_bytes()[:size])
    age(library)
    return library


@pytest.fixture(scope="session")
def server(folder: Path, library: Path, project: Path) -> Iterator[Server]:
    """Has run `ingest` and the second version of `photos` over the library."""
    environment = programs.environment(folder)
    server = Server(environment, folder)
    server.start()
    remote = {**environment, "LOOM_URL": server.url, "LOOM_TOKEN": server.token}
    photos = yaml.safe_load((project / "config/pipelines/photos.yaml").read_text())
    headers = {"Authorization": f"Bearer {server.token}"}
    for definition in ({**photos, "priority": 5, "description": "Photos"}, photos):
        body = {"json": definition, "headers": headers}
        httpx.post(f"{server.url}/api/v1/pipelines", **body, trust_env=False).raise_for_status()
    for command in (
        ("ingest", library, "--json", "--pipeline", "ingest"),
        ("ingest", library, "--json", "--pipeline", "photos"),
    ):
        done = subprocess.run([*CORTEX, *map(str, command)], env=remote, capture_output=True, check=False, timeout=100)
        assert done.returncode in (0, 3), done.stderr.decode()
    yield server
    if server.running:
        server.stop()


@pytest.fixture
def remote(folder: Path, server: Server) -> dict[str, str]:
    """The environment of a Cortex that works for the server."""
    return {**programs.environment(folder), "LOOM_URL": server.url, "LOOM_TOKEN": server.token}


@pytest.fixture
def visitor(chromium: Browser, server: Server) -> Browser:
    """A browser that is not signed in."""
    chromium.url = server.url
    chromium.sized(DESK)
    chromium.forget_everything()
    return chromium


@pytest.fixture(scope="session")
def cookie(server: Server) -> dict[str, str]:
    """That of a browser that was signed in."""
    origin = {"Origin": server.url}
    answer = httpx.post(f"{server.url}/api/v1/session", json={"code": server.token}, headers=origin, trust_env=False)
    ((name, value),) = answer.cookies.items()
    return {"name": name, "value": value}


@pytest.fixture
def page(visitor: Browser, cookie: dict[str, str]) -> Iterator[Browser]:
    """A browser that is signed in."""
    visitor.give_cookie(**cookie)
    yield visitor
    assert visitor.complaints() == []


@pytest.fixture
def offers(server: Server) -> Callable[[str], None]:
    """Skips a test when the server has no such route."""

    def check(path: str) -> None:
        if f"/api/v1{path}" not in server.get_root("/openapi.json")["paths"]:
            pytest.skip(f"this server does not offer {path}")

    return check


@pytest.fixture
def runs(server: Server) -> dict[str, dict[str, Any]]:
    """The first run of each pipeline."""
    return {run["pipeline"]: run for run in server.get("/runs?limit=500")["items"]}


@pytest.fixture
def asset(server: Server) -> Callable[[str], str]:
    """The UUID of the asset that has a file of this name."""

    def find(name: str) -> str:
        items = server.get("/assets?limit=500")["items"]
        return next(
            str(item["uuid"]) for item in items if any(one["path"].endswith(f"/{name}") for one in item["locations"])
        )

    return find


@pytest.fixture
def propose(server: Server, asset: Callable[[str], str]) -> Iterator[Callable[..., str]]:
    """Makes a pending group of the assets that have files of these names; it is rejected at the end."""
    headers = {"Authorization": f"Bearer {server.token}"}
    made: list[str] = []
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False) as api:

        def make(kind: str, *names: str) -> str:
            digests = [api.get(f"/assets/{asset(name)}").json()["blake3"] for name in names]
            members = [{"asset": digest, "distance": 2 * at} for at, digest in enumerate(digests)]
            told = api.post("/library/proposals", json={"kind": kind, "members": members}).raise_for_status().json()
            if (group := told["group"]) is None:  # a test before has decided on it
                known = api.get("/duplicates", params={"asset": asset(names[0]), "kind": kind}).json()["items"]
                group = known[-1]["uuid"]
                api.post(f"/duplicates/{group}/reopen", json={}).raise_for_status()
            made.append(group)
            return str(group)

        yield make
        for group in made:
            for verb in ("reopen", "reject"):
                api.post(f"/duplicates/{group}/{verb}", json={}).raise_for_status()
