"""Every view fits every screen, in the light and in the dark; with PAGE_PICTURES=1 the pictures in docs/page are
made anew."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from browser import DESK, PHONE, Browser
from processreports import process_pipeline
from programs import CORTEX, Running, Server
from realmedia import RealMedia

from loom.client import LoomClient

pytestmark = pytest.mark.slow
MANY = 240
VIEWS = ("runs", "run", "failures", "library", "list", "narrowed", "asset", "film", "duplicates", "processes",
         "sources", "pipelines", "pipeline", "versions", "operator", "system")  # fmt: skip
LOOKS = {"light": (DESK, False), "dark": (DESK, True), "phone": (PHONE, False), "narrow": ((360, 740), True),
         "wall": ((2560, 1440), False)}  # fmt: skip
SHOWN = {("light", view) for view in VIEWS} | {
    ("dark", "run"), ("dark", "library"), ("phone", "run"), ("phone", "failures"), ("phone", "library")
}  # fmt: skip
_IS_STILL = """
const images = [...document.images].filter((one) => one.getBoundingClientRect().top < innerHeight);
return !document.querySelector("main[aria-busy]") && images.every((one) => one.complete);
"""


@pytest.fixture
def source(server: Server, library: Path) -> Iterator[None]:
    """A folder that has a name."""
    headers = {"Authorization": f"Bearer {server.token}"}
    asked: dict[str, Any] = {"headers": headers, "trust_env": False}
    body = {"host": platform.node(), "path": str(library), "options": {"pipeline": "photos", "exclude": ["*.tmp"]}}
    httpx.put(f"{server.url}/api/v1/sources/pictures", json=body, **asked).raise_for_status()
    yield
    httpx.delete(f"{server.url}/api/v1/sources/pictures", **asked).raise_for_status()


@pytest.fixture
def duplicates(propose: Callable[..., str]) -> None:
    """A group of copies, and one of pictures that are alike, both to be decided."""
    propose("exact", "cup.jpg")
    propose("similar", "coffee.jpg", "cup.jpg")


@pytest.fixture
def processes(server: Server) -> Iterator[None]:
    """A process pipeline that tells of itself."""
    with LoomClient(server.url, server.token) as client:
        pipeline = process_pipeline(uuid4())
        client.report_process_pipeline(pipeline)
        yield
        client.forget_process_pipeline(pipeline.run)


@pytest.fixture
def addresses(runs: dict[str, dict[str, Any]], asset: Callable[[str], str]) -> dict[str, str]:
    return {
        "runs": "/runs",
        "run": f"/runs/{runs['photos']['uuid']}?node=is-image",
        "failures": "/failures",
        "library": "/library",
        "list": "/library?view=list",
        "narrowed": "/library?text=cup&captured_from=2024-01-01&near=48.14,-11.58",
        "asset": f"/assets/{asset('cup.jpg')}",
        "film": f"/assets/{asset('meadow.mp4')}",
        "duplicates": "/duplicates",
        "processes": "/processes",
        "sources": "/sources",
        "pipelines": "/pipelines",
        "pipeline": "/pipelines/photos",
        "versions": "/pipelines/photos/versions",
        "operator": "/operators/media.thumbnail",
        "system": "/system",
    }


@pytest.fixture
def gallery(project: Path, tmp_path: Path) -> Path:
    """Where pictures go: into the documentation only when that is asked for."""
    return project / "docs/page" if os.environ.get("PAGE_PICTURES") == "1" else tmp_path


@pytest.mark.usefixtures("source", "duplicates", "processes")
@pytest.mark.parametrize("look", LOOKS)
def test_every_view_fits(page: Browser, addresses: dict[str, str], gallery: Path, look: str) -> None:
    size, is_dark = LOOKS[look]
    page.sized(size, dark=is_dark)
    for view in VIEWS:
        page.open(addresses[view])
        page.one(".grid-row .grid-cell" if view == "run" else "h1")
        page.until(lambda: page.run(_IS_STILL), f"{view} does not come to rest")
        assert page.run("return document.documentElement.scrollWidth") <= size[0], view
        if (look, view) in SHOWN:
            page.picture(gallery / f"{view}{'' if look == 'light' else f'-{look}'}.png")


@pytest.fixture
def many(tmp_path: Path, media: RealMedia) -> Path:
    """Enough photographs that an ingest is seen at work."""
    folder = tmp_path / "many"
    folder.mkdir()
    names = ("astronaut", "coffee", "rocket", "chelsea", "hubble_deep_field", "motorcycle_left", "color", "coins")
    for number in range(MANY):
        image = media.picture(names[number % len(names)], (800, 800)).rotate(number % 4 * 90)
        image.putpixel((number, 0), (number % 256, 0, 0))
        image.save(folder / f"IMG_{number:04}.jpg", quality=88)
    return folder


def test_now_shows_what_passes_by(
    page: Browser, many: Path, remote: dict[str, str], tmp_path: Path, gallery: Path
) -> None:
    page.open("/")
    page.one(".empty", "Nothing runs now.")
    page.until(lambda: "Live" in page.text(".connection"))
    slowly = {**remote, "CORTEX_READ_LIMIT": "3MB"}  # about eight seconds, however fast the machine is
    ingest = Running(CORTEX, "ingest", many, "--json", "--pipeline", "ingest", env=slowly, folder=tmp_path)
    page.one(".card.now h2 a", "ingest")
    page.until(lambda: len(page.all(".passing .picture")) >= 5)
    page.picture(gallery / "now.png")
    assert re.fullmatch(rf"\d+ of {MANY}", page.one(".card.now .value").text)
    assert ingest.wait().code == 0
    page.one(".empty", "Nothing runs now.")
    page.one("td a[href^='/runs/']", "ingest")
