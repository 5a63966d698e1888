import pytest
from ledgers import COMPUTED, begin, definition, digest, done, found, report

from loom.model import asset_uuid


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
        "kind": {"image": 1}, "camera": {}, "year": {}, "total": 1
    }  # fmt: skip
    assert http.get("/assets/facets", params={"year": "soon"}).status_code == 422
    assert http.get("/assets", params={"year": 2020}).json()["items"] == []
    (place,) = http.get(f"/assets/{asset_uuid(digest('3'))}/locations").json()["items"]
    assert [(one["change"], one["path"]) for one in place["history"]] == [("found", "/data/3")]
    assert "history" not in http.get("/assets").json()["items"][0]["locations"][0]
