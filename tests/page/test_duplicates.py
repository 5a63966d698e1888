"""Groups of duplicates: looked at, decided on, and found again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from browser import Browser
from programs import Server
from selenium.webdriver.common.keys import Keys


@pytest.fixture
def api(server: Server) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False) as client:
        yield client


def _shown(api: httpx.Client, uuid: str) -> dict[str, Any]:
    told: dict[str, Any] = api.get(f"/duplicates/{uuid}").json()
    return told


def test_a_group_is_confirmed_with_another_keeper_and_opened_again(
    page: Browser, api: httpx.Client, propose: Callable[..., str], asset: Callable[[str], str]
) -> None:
    uuid = propose("similar", "coffee.jpg", "rocket.jpg")
    page.open("/duplicates")
    page.one(".group h2", "2 similar assets")
    group = _shown(api, uuid)
    page.one(".group .under", f"One is suggested. Why: {group['reason']}.")
    radios = page.all(".group input[type=radio]")
    assert [radio.is_selected() for radio in radios] == [one["id"] == group["keeper"] for one in group["members"]]
    other = next(one for one in group["members"] if not one["kept"])
    next(radio for radio in radios if radio.is_selected()).send_keys(Keys.ARROW_RIGHT)
    page.press("Confirm")
    page.one(".group .state.confirmed", "Confirmed")
    assert page.run("return document.activeElement.tagName") == "H2"
    told = _shown(api, uuid)
    assert (told["state"], told["keeper"], told["reason"]) == ("CONFIRMED", other["id"], "chosen by hand")
    page.one(".group code", f"cortex duplicates apply {uuid} --to FOLDER")
    page.one(".member.kept .chip", "kept")
    page.press("Decide again")
    page.one(".group .state.pending")
    assert _shown(api, uuid)["state"] == "PENDING"
    page.one(".member h3 a").click()
    page.until(lambda: page.path in [f"/assets/{asset(name)}" for name in ("coffee.jpg", "rocket.jpg")])


def test_groups_are_narrowed_in_the_address_and_rejected(
    page: Browser, api: httpx.Client, propose: Callable[..., str]
) -> None:
    exact, similar = propose("exact", "cup.jpg"), propose("similar", "coins.jpg", "grass.jpg")
    page.open("/duplicates")
    page.until(lambda: len(page.all(".group")) == 2)
    page.one("[aria-label=Kind] a", "Exact copies").click()
    page.until(lambda: [one.text for one in page.all(".group h2")] == ["2 exact copies"])
    assert page.path == "/duplicates?state=PENDING&kind=exact"
    page.press("No duplicates")
    page.one(".group .state.rejected", "Rejected")
    assert (_shown(api, exact)["state"], _shown(api, similar)["state"]) == ("REJECTED", "PENDING")
    page.driver.refresh()
    page.one(".empty", "There is nothing to decide.")
    page.one("[aria-label=State] a", "Rejected").click()
    page.until(lambda: page.path == "/duplicates?state=REJECTED&kind=exact")
    page.one(".group h2", "2 exact copies")


def test_who_is_no_duplicate_is_left_out(page: Browser, api: httpx.Client, propose: Callable[..., str]) -> None:
    uuid = propose("similar", "motorcycle_left.jpg", "color.jpg", "hubble_deep_field.jpg")
    page.open("/duplicates")
    page.until(lambda: len(page.all(".member")) == 3)
    kept = next(at for at, one in enumerate(_shown(api, uuid)["members"]) if one["kept"])
    page.all(".member input[type=checkbox]")[kept].click()
    page.press("Confirm")
    page.one(".member.left .chip", "no duplicate")
    told = _shown(api, uuid)
    assert told["members"][kept]["left"]
    assert told["keeper"] is not None


def test_what_others_decide_and_find_is_shown_while_one_looks(
    page: Browser, api: httpx.Client, propose: Callable[..., str]
) -> None:
    uuid = propose("similar", "coffee.jpg", "rocket.jpg")
    page.open("/duplicates")
    page.one(".group h2", "2 similar assets")
    page.run("document.body.dataset.same = 'page'")
    other = propose("exact", "cup.jpg")
    page.until(lambda: [one.text for one in page.all(".group h2")] == ["2 similar assets", "2 exact copies"])
    radio = page.all(".group:nth-child(2) input[type=radio]")
    chosen = next(one for one in radio if not one.is_selected())
    chosen.click()
    api.post(f"/duplicates/{uuid}/reject", json={}).raise_for_status()
    page.one(".group:nth-child(1) .state.rejected", "Rejected")
    assert chosen.is_selected(), "what somebody is choosing in another group stays"
    api.post(f"/duplicates/{other}/confirm", json={}).raise_for_status()
    page.one(".group:nth-child(2) .state.confirmed", "Confirmed")
    assert page.run("return document.body.dataset.same") == "page"


def test_an_asset_leads_to_its_groups(page: Browser, propose: Callable[..., str], asset: Callable[[str], str]) -> None:
    propose("similar", "astronaut.jpg", "rocket.jpg")
    page.open(f"/assets/{asset('astronaut.jpg')}")
    page.one(".facts a", "1 group").click()
    page.until(lambda: page.path == f"/duplicates?asset={asset('astronaut.jpg')}")
    page.until(lambda: len(page.all(".group")) == 1)
    page.one(".chip", "of one asset ×").click()
    page.until(lambda: page.path == "/duplicates?state=ALL")
