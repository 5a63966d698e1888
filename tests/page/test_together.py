"""What belongs together with an asset, on its page."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from browser import Browser
from programs import Server


def test_the_others_are_shown_and_lead_to_their_pages(
    page: Browser, server: Server, asset: Callable[[str], str]
) -> None:
    names = ("cat.heic", "cat.png")
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False) as api:
        still, raw = (api.get(f"/assets/{asset(name)}").json()["blake3"] for name in names)
        members = [{"asset": raw, "role": "raw"}, {"asset": still, "role": "primary"}]
        said = {"kind": "raw", "anchor": raw, "members": members}
        api.post("/library/groups", json=said).raise_for_status()
    page.open(f"/assets/{asset('cat.heic')}")
    page.one("[aria-label='Belongs together'] h3", "Raw and picture")
    page.until(lambda: [one.text for one in page.all(".fellow b")] == ["cat.heic", "cat.png"])
    page.one(".fellow[aria-current] b", "cat.heic")
    page.one("a.fellow small", "raw")
    page.one("a.fellow").click()
    page.until(lambda: page.path == f"/assets/{asset('cat.png')}")
    page.one(".fellow[aria-current] b", "cat.png")


def test_what_stands_alone_has_no_such_section(page: Browser, asset: Callable[[str], str]) -> None:
    page.open(f"/assets/{asset('rocket.jpg')}")
    page.one("[aria-label=Results] article")
    assert page.all(".fellow") == []
