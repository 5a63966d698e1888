"""The library narrowed by what is known of assets, the story of an asset, and the rooms of the machine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from browser import Browser
from programs import CORTEX, Running, Server
from selenium.webdriver.common.keys import Keys


@pytest.fixture
def api(server: Server) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False) as client:
        yield client


def _titles(page: Browser) -> list[str]:
    return sorted(one.get_attribute("title") or "" for one in page.all(".tile"))


def test_the_library_is_narrowed_by_words_days_and_places(page: Browser, server: Server) -> None:
    page.open("/library")
    page.one(".tile")
    page.one(".filters summary").click()
    page.one("input[name=near]").send_keys("48.14, -11.58", Keys.ENTER)
    page.until(lambda: page.path == "/library?near=48.14%2C-11.58")
    page.until(lambda: len(page.all(".tile")) == server.get("/assets/facets?near=48.14,-11.58")["total"] > 0)
    near = _titles(page)
    page.one("input[name=text]").send_keys("vase", Keys.ENTER)
    page.one(".empty", "Nothing fits.")
    page.one(".chip", "says “vase” ×").click()
    page.until(lambda: _titles(page) == near)
    page.driver.refresh()
    page.until(lambda: _titles(page) == near)
    assert page.one("input[name=near]").get_attribute("value") == "48.14,-11.58"
    page.open("/library?captured_from=2024-05-17&captured_to=2024-05-17")
    page.until(lambda: any(title.startswith("cup") for title in _titles(page)))
    page.one(".facets a", "With a place").click()
    page.until(lambda: "place=known" in page.path)
    page.one(".chip", "with a place")


def test_a_run_goes_over_what_the_library_shows(page: Browser, server: Server) -> None:
    page.open("/library?kind=video&q=meadow")
    page.press("Run a pipeline over these")
    page.one("dialog p", "Over 1 asset.")
    page.press("Start", within="dialog")
    page.one(".why", "Waits until a worker takes it.")
    run = server.get(page.path)
    assert run["request"]["filter"] == {**dict.fromkeys(run["request"]["filter"]), "kind": "video", "q": "meadow"}
    page.press("Cancel")
    page.press("Cancel the run", within="dialog")
    page.one(".state.cancelled")


def test_an_asset_tells_what_happened_while_it_happens(
    page: Browser, asset: Callable[[str], str], remote: dict[str, str], library: Path, tmp_path: Path
) -> None:
    page.open(f"/assets/{asset('coins.jpg')}")
    page.one("[aria-label='What happened'] h2")
    before = len(page.all(".happenings > li"))
    command = ("ingest", library / "coins.jpg", "--pipeline", "photos", "--recompute", "thumbnail", "--json")
    assert Running(CORTEX, *command, env=remote, folder=tmp_path).wait().code == 0
    page.until(lambda: len(page.all(".happenings > li")) == before + 1)
    page.one(".happenings > li:first-child ul li", "computed")
    page.one(".happenings > li:first-child ul li", "a stored result was used")


def test_the_place_of_a_photo_leads_to_its_neighbours(page: Browser, asset: Callable[[str], str]) -> None:
    page.open(f"/assets/{asset('cup.jpg')}")
    page.one(".facts dd", "° N")
    page.press("what was taken nearby")
    page.until(lambda: "cup" in " ".join(_titles(page)))
    assert page.path.startswith("/library?near=")


def test_the_numbers_of_a_node_unfold_to_their_assets(page: Browser, runs: dict[str, dict[str, Any]]) -> None:
    run = runs["photos"]
    page.open(f"/runs/{run['uuid']}?node=is-image")
    rejected = run["nodes"]["aside"]["computed"]
    page.until(lambda: page.text("[data-count=rejected]") == str(rejected))
    page.one("[data-count=rejected]").click()
    page.until(lambda: len(page.all(".panel .examples li a")) == rejected)
    assert "meadow.mp4" in page.text(".panel .examples")


def test_sources_are_listed_ingested_and_forgotten(page: Browser, api: httpx.Client, library: Path) -> None:
    put = api.put("/sources/pictures", json={"host": "here", "path": str(library), "options": {"pipeline": "photos"}})
    put.raise_for_status()
    page.open("/sources")
    page.one("[aria-label='Source pictures'] h2", "pictures")
    page.press("Ingest")
    page.one(".why", "Waits until a worker on here takes it.")
    run = api.get(page.path).json()
    assert (run["pipeline"], run["request"]["paths"], run["request"]["host"]) == ("photos", [str(library)], "here")
    assert run["request"]["source"] == "pictures", "with its include and exclude"
    api.post(f"/runs/{run['uuid']}/cancel", json={}).raise_for_status()
    page.press("Sources", within="nav")
    page.press("Forget")
    page.press("Forget it", within="dialog")
    page.one(".empty", "No folder has a name yet.")
    assert api.get("/sources").json()["items"] == []


def test_the_system_tells_what_it_stands_on_and_limits_are_set(page: Browser, api: httpx.Client) -> None:
    page.open("/system")
    told = api.get("/system").json()
    page.one("[aria-label=Database]", "SQLite")
    page.one("[aria-label=Database]", f"version {told['database']['schema']}")
    page.one("[aria-label=Disk]", told["disk"]["path"])
    page.one("[aria-label^=Worker]", "the kernel refuses network, writing and programs")
    number = page.one("[aria-label=Limits] input[name=number]")
    number.clear()
    number.send_keys("3", Keys.ENTER)
    page.one("[aria-label='Limits in force'] td", "jobs")
    assert api.get("/limits").json()["limits"] == {"jobs": 3}
    page.press("Lift")
    page.one("[aria-label=Limits]", "None: every worker")
    assert api.get("/limits").json()["limits"] == {}


def test_the_library_is_narrowed_by_colour(
    page: Browser, server: Server, remote: dict[str, str], library: Path, tmp_path: Path
) -> None:
    nodes = [{"id": "files", "operator": "source.filesystem"}, {"id": "colours", "operator": "image.dominant-color"}]
    edges = [{"from": {"node": "files"}, "to": {"node": "colours"}}]
    definition = tmp_path / "colours.json"
    definition.write_text(
        json.dumps({"schema_version": 1, "name": "colours", "graph": {"nodes": nodes, "edges": edges}})
    )
    command = (
        "ingest",
        library / "coffee.jpg",
        library / "rocket.jpg",
        library / "coins.jpg",
        "--pipeline",
        definition,
    )
    assert Running(CORTEX, *command, "--json", env=remote, folder=tmp_path).wait().code == 0
    counted = server.get("/assets/facets")["color"]
    page.open("/library")
    page.one(".facets h2", "Colour")
    page.one(".facets a[href*='color=red'] .swatch")
    page.one(".facets a[href*='color=red']").click()
    page.until(lambda: len(page.all(".tile")) == counted["red"] == 1)
    assert _titles(page) == ["coffee.jpg"]
    page.one(".chip", "red in it").click()
    page.until(lambda: len(page.all(".tile")) > 3)
    page.open("/library?color=%23152f52")
    page.until(lambda: _titles(page) == ["rocket.jpg"])
    assert page.one("input[name=color]").get_attribute("value") == "#152f52"
    choose = "arguments[0].value = '#b35e2e'; arguments[0].dispatchEvent(new Event('change'))"
    page.driver.execute_script(choose, page.one("input[name=color]"))
    page.until(lambda: _titles(page) == ["coffee.jpg"])
    assert page.path == "/library?color=%23b35e2e"
    page.one(".chip", "a colour like #b35e2e")
