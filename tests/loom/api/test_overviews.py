import msgspec
import pytest
from ledgers import COMPUTED, begin, definition, digest, done, found, report

from loom.bus.frames import AssetFrame, NodeFrame
from loom.events import AssetEvent, NodeEvent, RunEvent, RunHead
from loom.model import State, asset_uuid
from loom.shapes import Page


@pytest.fixture
def run(loom):
    run = begin(loom)
    loom.report(run, [
        report(str(n), found(b"/data/%d" % n), results=[done(0)], outcomes=[COMPUTED, COMPUTED]) for n in range(5)
    ])  # fmt: skip
    return run


def test_a_piece_of_the_grid(http, run):
    grid = http.get(f"/runs/{run}/grid", params={"offset": 3, "limit": 1}).json()
    assert grid == {
        "run": str(run), "total": 5, "offset": 3, "nodes": ["sha256", "small"],
        "rows": [[str(asset_uuid(digest("3"))), "3", "CC"]],
    }  # fmt: skip
    assert http.get(f"/runs/{run}/grid", params={"offset": -1}).status_code == 422
    assert http.get(f"/runs/{run}/grid", params={"limit": 5000}).status_code == 422
    assert http.get(f"/runs/{asset_uuid(digest('3'))}/grid").status_code == 404


def test_the_plan_of_a_run(http, run):
    plan = http.get("/pipelines/photos/plan", params={"kind": "image"}).json()
    assert (plan["assets"], plan["version"], [node["node"] for node in plan["nodes"]]) == (5, 1, ["sha256", "small"])
    assert plan["nodes"][1] == {
        "node": "small", "operator": "toy.size", "stored": 0, "missing": 5, "stale": 0, "seconds": 0.0075
    }  # fmt: skip
    assert http.get("/pipelines/photos/plan", params={"kind": "smell"}).status_code == 422
    assert http.get("/pipelines/none/plan").status_code == 404
    http.post("/pipelines", json=definition("other"))
    assert http.get("/pipelines/other/plan").json()["assets"] == 5


@pytest.mark.usefixtures("run")
def test_facets_and_the_history_of_locations(http):
    assert http.get("/assets/facets", params={"q": "3"}).json() == {
        "kind": {"image": 1}, "camera": {}, "year": {}, "place": {"unknown": 1}, "color": {}, "total": 1
    }  # fmt: skip
    assert http.get("/assets/facets", params={"year": "soon"}).status_code == 422
    assert http.get("/assets", params={"year": 2020}).json()["items"] == []
    for wrong in ({"captured_from": "May"}, {"near": "here"}, {"near": "95,0"}, {"radius_km": 0}, {"box": "1,2,3"},
                  {"place": "there"}, {"color": "rde"}, {"color": "#12345"}, {"color": "#0000000"}, {"color": ""},
                  {"color": "red", "color_share": 1.5}, {"color": "red", "color_distance": 0}, {"colour": "red"},
                  {"color": "red", "color_share": "much"}):  # fmt: skip
        assert http.get("/assets", params=wrong).status_code == 422, wrong
    for color in ("beige", "#C04020", "c04020"):
        assert http.get("/assets", params={"color": color}).json()["items"] == []
    found = {"near": "1.5,-2", "captured_from": "2024-01-01", "text": "lake"}
    assert http.get("/assets", params=found).json()["items"] == []
    (place,) = http.get(f"/assets/{asset_uuid(digest('3'))}/locations").json()["items"]
    assert [(one["change"], one["path"]) for one in place["history"]] == [("found", "/data/3")]
    assert "history" not in http.get("/assets").json()["items"][0]["locations"][0]


def test_the_events_of_an_asset(http, run, hub):
    mine, other = digest("3"), digest("4")
    head = RunHead(run, "photos", False)
    hub.publish(head, [NodeEvent(1, "sha256", asset, "STARTED") for asset in (mine, other)])
    hub.publish(head, [RunEvent(2, "PAUSED"), AssetEvent(3, mine, "FAILED", (("sha256", State.FAILED, None, None),))])
    uuid = asset_uuid(mine)
    page = http.get(f"/assets/{uuid}/events").json()
    assert [(one["type"], one["status"], one["asset"]) for one in page["items"]] == [
        ("asset", "FAILED", str(uuid)), ("node", "STARTED", str(uuid))
    ]  # fmt: skip
    assert page["next"] is None
    msgspec.convert(page, Page[AssetFrame | NodeFrame])
    first = http.get(f"/assets/{uuid}/events", params={"limit": 1}).json()
    second = http.get(f"/assets/{uuid}/events", params={"limit": 1, "cursor": first["next"]}).json()
    assert first["items"] + second["items"] == page["items"]
    assert http.get(f"/assets/{uuid}/events", params={"cursor": "x"}).status_code == 422
    assert http.get(f"/assets/{asset_uuid(digest('none'))}/events").status_code == 404
