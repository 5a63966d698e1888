import json

import pytest
from ledgers import BROKEN, COMPUTED, HOST, begin, closing, definition, failed, found, report

from loom.model import RunState
from loom.steering import AssetQuery


@pytest.fixture
def photos(http):
    http.post("/pipelines", json=definition())


def asked(http, **body):
    answer = http.post("/pipelines/photos/runs", json={"paths": ["/data"], **body})
    assert answer.status_code == 202
    return answer.json()


@pytest.mark.usefixtures("photos")
def test_a_run_is_asked_for(http):
    made = http.post("/pipelines/photos/runs", json={"paths": ["/dä ta"], "filter": {"kind": "image"}})
    shown = made.json()
    assert made.headers["location"] == f"/api/v1/runs/{shown['uuid']}"
    assert (shown["state"], shown["started"], shown["worker"], shown["paused"]) == ("QUEUED", None, None, [])
    assert shown["request"] == {
        "paths": ["/dä ta"], "globs": [], "assets": [], "recompute": [], "host": None, "source": None, "total_paths": 1,
        "total_assets": 0,
        "filter": {**dict.fromkeys(AssetQuery.__struct_fields__), "kind": "image"},
    }  # fmt: skip
    assert http.get(f"/runs/{shown['uuid']}").json() == shown
    assert http.get("/pipelines/photos/runs").json()["items"] == [shown]


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("pipeline", "body", "status", "code"),
    [
        ("photos", {}, 400, "USAGE"),
        ("none", {"paths": ["/a"]}, 404, "NOT_FOUND"),
        ("photos", {"paths": ["a"]}, 422, "REQUEST_INVALID"),
        ("photos", {"paths": "/a"}, 422, "REQUEST_INVALID"),
        ("photos", {"paths": ["/a"], "filter": {"kind": "smell"}}, 422, "REQUEST_INVALID"),
        ("photos", {"paths": ["/a"], "recompute": ["none"]}, 422, "REQUEST_INVALID"),
        ("photos", {"assets": ["x"]}, 422, "REQUEST_INVALID"),
        ("photos", [], 422, "REQUEST_INVALID"),
    ],
)
def test_what_cannot_be_asked_for(http, pipeline, body, status, code):
    refused = http.post(f"/pipelines/{pipeline}/runs", json=body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)


@pytest.mark.usefixtures("photos")
def test_a_worker_claims_asks_and_gives_back(http):
    worker = {"worker": "w", "host": HOST}
    assert (http.post("/runs/claim", json=worker).status_code, http.post("/runs/claim", json={}).status_code) == (
        204, 422
    )  # fmt: skip
    run = asked(http)["uuid"]
    given = http.post("/runs/claim", json=worker).json()
    assert (given["uuid"], given["paths_b64"], given["walked"]) == (run, ["L2RhdGE="], False)
    http.post(f"/runs/{run}/pause", json={"depth": "node", "reason": "tea"})
    (told,) = http.post("/runs/orders", json={"worker": "w", "runs": [run]}).json()["items"]
    assert (told["run"], told["cancelled"], told["lost"], told["pauses"][0]["depth"]) == (run, False, False, "node")
    refused = http.post(f"/runs/{run}/release", json={"worker": "v"})
    assert (refused.status_code, refused.json()["code"]) == (409, "RUN_LOST")
    fault = {"code": "FROM_THE_FUTURE", "message": ""}
    assert http.post(f"/runs/{run}/release", json={"worker": "w", "error": fault}).status_code == 204
    ended = http.get(f"/runs/{run}").json()
    assert (ended["state"], ended["error"]["code"], ended["paused"]) == ("FAILED", "FROM_THE_FUTURE", [])


@pytest.mark.usefixtures("photos")
def test_pauses_have_owners(http):
    run = asked(http)["uuid"]
    assert http.post(f"/runs/{run}/pause").json()["paused"][0]["owner"] == "user"
    http.post(f"/runs/{run}/pause", json={"depth": "now", "owner": "disk", "reason": "no room"})
    left = http.post(f"/runs/{run}/resume").json()["paused"]
    assert [(one["owner"], one["depth"], one["reason"]) for one in left] == [("disk", "now", "no room")]
    assert left[0]["since"].endswith("Z")
    assert http.post(f"/runs/{run}/pause", json={"depth": "deep"}).status_code == 422
    assert http.post(f"/runs/{run}/cancel").json()["state"] == "CANCELLED"
    refused = http.post(f"/runs/{run}/pause")
    assert (refused.status_code, refused.json()["code"]) == (409, "RUN_ENDED")


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("dry_run", [False, True])
def test_the_bus_tells_how_a_run_is_steered(http, listen, dry_run):
    with listen("type=run") as socket:
        socket.recv(timeout=5)
        run = asked(http, dry_run=dry_run)["uuid"]
        http.post("/runs/claim", json={"worker": "w", "host": HOST})
        http.post(f"/runs/{run}/pause", json={"owner": "a", "depth": "now", "reason": "tea"})
        http.post(f"/runs/{run}/pause", json={"owner": "b"})
        http.post(f"/runs/{run}/resume", json={"owner": "a"})
        http.post(f"/runs/{run}/resume", json={"owner": "nobody"})
        http.post(f"/runs/{run}/release", json={"worker": "w"})
        http.post(f"/runs/{run}/cancel")
        told = [json.loads(socket.recv(timeout=5)) for _ in range(7 if dry_run else 6)]
    begun = [("STARTED", [])] if dry_run else []  # of others their worker tells it
    assert [(one["status"], [pause["owner"] for pause in one["paused"]]) for one in told] == [
        ("QUEUED", []), *begun, ("PAUSED", ["a"]), ("PAUSED", ["a", "b"]), ("RESUMED", ["b"]), ("QUEUED", ["b"]),
        ("CANCELLED", []),
    ]  # fmt: skip
    assert {(one["run"], one["pipeline"], one["dry_run"]) for one in told} == {(run, "photos", dry_run)}
    assert told[1 + len(begun)]["paused"][0]["reason"] == "tea"


def test_failures_are_tried_again_and_set_aside(http, loom):
    run = begin(loom)
    loom.report(run, [
        report(name, found(b"/data/" + name.encode()), results=[failed(0, code)], outcomes=[BROKEN, COMPUTED])
        for name, code in (("a", "FILE_EMPTY"), ("b", "FILE_DAMAGED"), ("c", "FILE_DAMAGED"))
    ])  # fmt: skip
    loom.finish_run(closing(run, RunState.PARTIAL))
    assert http.post("/failures/set-aside", json={"code": "FILE_EMPTY"}).json() == {"count": 1}
    assert [one["code"] for one in http.get("/failures").json()["items"]] == ["FILE_DAMAGED"]
    assert len(http.get("/failures", params={"aside": "true"}).json()["items"]) == 2
    assert http.get("/failures", params={"since": "2100-01-01T00:00:00Z"}).json()["items"] == []
    assert http.get("/failures", params={"since": "2100-01-01T00:00:00"}).json()["code"] == "REQUEST_INVALID"
    queued = http.post(f"/runs/{run}/retry", json={"node": "sha256"})
    assert queued.status_code == 202
    (made,) = queued.json()["items"]
    assert (made["state"], sorted(made["request"]["paths"])) == ("QUEUED", ["/data/b", "/data/c"])
    assert http.post("/failures/retry", json={}).json()["items"] == []
    assert len(http.post("/failures/retry", json={"aside": True}).json()["items"]) == 1
