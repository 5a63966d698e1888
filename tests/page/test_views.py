"""Every view shows what is really there, at an address of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser import Browser
from programs import Server
from selenium.webdriver.common.keys import Keys

Runs = dict[str, dict[str, Any]]


def test_now_says_that_nothing_runs_and_what_ran_before(page: Browser, runs: Runs) -> None:
    page.open("/")
    page.one(".empty", "Nothing runs now.")
    assert page.one(f"td a[href='/runs/{runs['ingest']['uuid']}']").text == "ingest"
    page.until(lambda: "Live" in page.text(".connection"))


def test_a_number_leads_to_the_asset_behind_it_in_two_clicks(page: Browser, runs: Runs) -> None:
    page.open("/runs")
    run = runs["ingest"]
    page.one(f"a[href='/failures?run={run['uuid']}']", str(run["assets"]["failed"])).click()
    page.one("h2", "The file ends before its content does")
    page.one(".cause-body a[href^='/assets/']").click()
    page.one(".results h3", "thumbnail")
    assert page.one(".message.bad").text.startswith("The file ends before its content does")


def test_the_graph_has_the_counts_of_the_database(page: Browser, runs: Runs) -> None:
    run = runs["photos"]
    page.open(f"/runs/{run['uuid']}")
    page.one("[data-node='is-image'] .name", "is-image")
    for node, counts in run["nodes"].items():
        shown = [one.text for one in page.all(f"[data-node='{node}'] .count")]
        stored = counts["cached"] + counts["remote"]
        assert shown == [str(number) for number in (counts["computed"], stored, counts["skipped"], counts["failed"])]
    rejected = run["nodes"]["aside"]["computed"]
    page.until(lambda: page.text("[data-node='is-image'] .flow").endswith(f"FAIL {rejected}"))
    assert [one.text for one in page.all(".edge-branch")] == ["PASS", "FAIL"]


def test_a_chosen_node_stands_in_the_address_and_survives_a_reload(page: Browser, runs: Runs) -> None:
    address = f"/runs/{runs['ingest']['uuid']}"
    page.open(address)
    page.one("[data-node='thumbnail'] .name").click()
    page.one(".panel h2", "thumbnail")
    assert page.path == f"{address}?node=thumbnail"
    page.driver.refresh()
    page.one(".panel h2", "thumbnail")
    page.press("Failures")
    page.one("h1", "Failures")
    page.driver.back()
    page.one(".panel h2", "thumbnail")


def test_the_grid_has_a_square_for_every_node(
    page: Browser, runs: Runs, offers: Callable[[str], None], server: Server
) -> None:
    offers("/runs/{uuid}/grid")
    run = runs["ingest"]
    page.open(f"/runs/{run['uuid']}")
    page.one(".grid-row", "broken.jpg")
    assert len(page.all(".grid-row")) <= len(server.get("/assets?limit=500")["items"])
    row = next(row for row in page.all(".grid-row") if "broken.jpg" in row.text)
    labels = page.run("return [...arguments[0].querySelectorAll('[aria-label]')].map(one => one.ariaLabel)", row)
    assert "thumbnail: failed" in labels
    assert "sha256: computed" in labels


def test_failures_are_grouped_and_unfold_to_their_assets(page: Browser) -> None:
    page.open("/failures")
    page.one("h2", "The file ends before its content does").find_element("css selector", "button").click()
    page.until(lambda: {"broken.jpg", "cut off.jpg"} <= {one.text.split("\n")[-1] for one in page.all(".examples a")})


def test_the_library_is_searched_narrowed_and_shown_as_a_list(page: Browser, server: Server) -> None:
    page.open("/library")
    assets = server.get("/assets?limit=500")["items"]
    page.one(".library + *, [role=status].under", f"{len(assets)} assets")
    page.until(lambda: len(page.all(".tile")) > 10)
    page.one("input[type=search]").send_keys("meadow")
    page.until(lambda: len(page.all(".tile")) == 2)
    assert page.path == "/library?q=meadow"
    page.press("List")
    page.one(".line", "meadow.flac")
    page.driver.refresh()
    page.one(".line", "audio/flac")
    page.open("/library?kind=video")
    page.until(lambda: [one.get_attribute("title") for one in page.all(".tile")] == ["meadow.mp4"])


def test_a_hash_leads_to_its_asset(page: Browser, server: Server) -> None:
    found = server.get("/assets?limit=1")["items"][0]
    page.open("/library")
    page.one("input[type=search]").send_keys(found["sha256"])
    page.until(lambda: page.path == f"/assets/{found['uuid']}")


def test_an_asset_shows_results_places_and_its_picture(page: Browser, asset: Callable[[str], str]) -> None:
    page.open(f"/assets/{asset('cup.jpg')}")
    page.until(
        lambda: {one.text.strip("✓\n ") for one in page.all(".result h3")} >= {"sha256", "metadata", "thumbnail"}
    )
    page.one(".outputs", "2024-05-17T14:03:21.250+02:00")
    assert {one.text for one in page.all(".locations b")} == {"cup.jpg", "cup (copy).jpg"}
    page.until(lambda: page.run("return document.querySelector('.preview img')?.naturalWidth > 100"))


@pytest.mark.slow
def test_a_film_and_a_song_play(page: Browser, asset: Callable[[str], str], offers: Callable[[str], None]) -> None:
    offers("/assets/{uuid}/content")
    for name, tag, seconds in (("meadow.mp4", "video", 2), ("meadow.flac", "audio", 5.3)):
        page.open(f"/assets/{asset(name)}")
        page.one(tag)
        page.until(lambda tag=tag: page.run(f"return document.querySelector('{tag}').readyState >= 1"))
        assert page.run(f"return document.querySelector('{tag}').duration") == pytest.approx(seconds, abs=0.2)
        page.run(f"document.querySelector('{tag}').muted = true; document.querySelector('{tag}').currentTime = 1")
        page.one(tag).send_keys(Keys.SPACE)
        page.until(lambda tag=tag: page.run(f"return document.querySelector('{tag}').currentTime > 1.1"))


def test_operators_have_ports_and_options(page: Browser) -> None:
    page.open("/operators/media.thumbnail")
    page.one("details[open] td", "The most pixels of the longer side")
    page.one("input[type=search]").send_keys("blake3")
    page.until(lambda: [one.get_attribute("data-operator") for one in page.all(".operator")][:1] == ["hash.blake3"])


def test_the_system_has_its_worker(page: Browser, server: Server) -> None:
    page.open("/system")
    page.one(".state.completed", "answers")
    page.one("[aria-label='Workers'] h3", server.get("/workers")["items"][0]["name"])


def test_what_is_not_there_is_said(page: Browser) -> None:
    page.open("/nothing-here/at-all")
    assert "NOT_FOUND" in page.text()
    page.open("/runs/../system")
    page.one("h1", "System")
    page.complaints()


def test_what_is_not_there_is_told_in_a_sentence(page: Browser) -> None:
    gone = "00000000-0000-8000-8000-000000000000"
    for address, sentence in (
        ("/runs/zz", "There is no such run."),
        ("/assets/zz", "There is no such asset."),
        (f"/runs/{gone}", f"There is no run {gone}."),
        (f"/assets/{gone}", f"There is no asset {gone}."),
    ):
        page.open(address)
        assert page.one(".empty-title").text == sentence
    page.leave()
    assert all("404" in one for one in page.complaints())


def test_failures_are_chosen_by_their_cause(page: Browser, server: Server) -> None:
    group = server.get("/failures")["items"][0]
    page.open(f"/failures?code={group['code']}&cause={group['cause']}")
    page.one(".chip", "one cause")
    assert len(page.all(".cause")) == 1
    page.open("/failures?cause=000000000000")
    page.one(".empty", "Nothing has failed.")
