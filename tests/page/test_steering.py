"""Runs begun, cancelled and tried again with the page's own buttons."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from programs import CORTEX, Running, Server, environment


def test_a_run_is_asked_for_waits_for_a_worker_and_is_cancelled(
    page: Browser, server: Server, offers: Callable[[str], None], library: Path
) -> None:
    offers("/runs/{uuid}/cancel")
    page.open("/pipelines/photos")
    page.press("Run")
    page.one("dialog textarea").send_keys(str(library))
    page.press("Start", within="dialog")
    page.one(".why", "Waits until a worker takes it.")
    page.one(".state.queued", "Waiting")
    uuid = page.path.removeprefix("/runs/")
    asked = server.get(f"/runs/{uuid}")
    assert (asked["state"], asked["request"]["paths"]) == ("QUEUED", [str(library)])
    page.open("/")
    page.one(".card.now h2", "photos")
    page.one(".card.now .why", "Waits until a worker takes it.")
    page.press("Cancel")
    page.one("dialog h2", "Cancel this run of photos?")
    page.press("Cancel the run", within="dialog")
    page.one(".empty", "Nothing runs now.")
    assert server.get(f"/runs/{uuid}")["state"] == "CANCELLED"


@pytest.fixture
def repairable(tmp_path: Path, library: Path) -> Iterator[tuple[Server, Path, dict[str, str]]]:
    """A server of this test's own, over a good picture and a broken one."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("coffee.jpg", "broken.jpg"):
        shutil.copy2(library / name, folder / name)
    env = environment(tmp_path)
    server = Server(env, tmp_path)
    server.start()
    env.update(LOOM_URL=server.url, LOOM_TOKEN=server.token)
    assert Running(CORTEX, "ingest", folder, "--json", env=env, folder=tmp_path).wait().code == 3
    yield server, folder, env
    server.stop()


@pytest.mark.slow
def test_a_failure_is_found_repaired_and_gone(
    chromium: Browser, repairable: tuple[Server, Path, dict[str, str]], library: Path
) -> None:
    server, folder, env = repairable
    chromium.url = server.url
    chromium.open(f"/failures#code={server.token}")
    chromium.one("h2", "The file ends before its content does")
    chromium.one(".cause-body a[href^='/assets/']", "broken.jpg")
    shutil.copy2(library / "rocket.jpg", folder / "broken.jpg")
    chromium.press("Retry these")
    chromium.one("h1", "Failures")
    chromium.one(".toast", "Tried again in 1 new run.")
    runs: list[dict[str, Any]] = server.get("/runs")["items"]
    assert [run["state"] for run in runs] == ["QUEUED", "PARTIAL"]
    assert Running(CORTEX, "ingest", folder, "--json", env=env, folder=folder.parent).wait().code == 0
    chromium.driver.refresh()
    chromium.one(".empty", "Nothing has failed.")
