"""Who is in a picture, on its page, and the way to all pictures with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID

from browser import Browser
from ledgers import closing, digest, opening
from programs import Server

from loom.client import LoomClient
from loom.model import AssetReport, Branch, State, StepRef, StoredResult

WHO = StepRef("who", "vision.face-embedding", "2", digest("step who"))


def test_people_are_named_and_lead_to_their_pictures(
    page: Browser, server: Server, asset: Callable[[str], str]
) -> None:
    with LoomClient(server.url, server.token) as client:
        run = opening(version=client.pipeline("photos").version, steps=(WHO,))
        client.open_run(run)
        for name, vectors in (("astronaut.jpg", [[1, 0], [0, 1]]), ("coffee.jpg", [[0, 1]])):
            outputs = json.dumps({"vector": vectors, "model": ["m"] * len(vectors)}).encode()
            known = client.asset(UUID(asset(name)))
            given = StoredResult(WHO.signature, State.COMPLETED, Branch.PASS, outputs)
            blake3 = bytes.fromhex(known.blake3)
            client.report(run.uuid, [AssetReport(blake3, known.size, known.mime, known.kind, (), (given,))])
            client.sort_faces(blake3, "m", vectors, 0.5)
        client.finish_run(closing(run.uuid))
        client.name_person(client.asset_people(UUID(asset("coffee.jpg")))[0].person, "Eileen")
    page.open(f"/assets/{asset('astronaut.jpg')}")
    page.until(lambda: [one.text for one in page.all("dd a.chip")] == ["somebody without a name", "Eileen"])
    page.one("dd a.chip", "Eileen").click()
    page.one(".chip", "with a face of one person")
    page.open("/library?person=eileen")
    page.one(".chip", "with eileen")
    page.until(lambda: sorted(tile.get_attribute("title") or "" for tile in page.all(".tile")) == [
        "astronaut.jpg", "coffee.jpg",
    ])  # fmt: skip
