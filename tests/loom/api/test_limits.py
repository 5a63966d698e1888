import pytest
from ledgers import HOST, definition


def test_limits_are_put_read_and_deleted(http):
    assert http.get("/limits").json() == {"limits": {}}
    assert http.put("/limits/network", json={"number": 4}).json() == {"limits": {"network": 4}}
    assert http.put("/limits/hash.sha256", json={"number": 1}).status_code == 200
    assert http.get("/limits").json() == {"limits": {"hash.sha256": 1, "network": 4}}
    assert http.delete("/limits/network").status_code == 204
    assert http.delete("/limits/network").status_code == 204
    assert http.get("/limits").json() == {"limits": {"hash.sha256": 1}}


@pytest.mark.parametrize(
    ("name", "body"), [("jobs", {"number": 0}), ("jobs", {"number": 1.5}), ("jobs", {}), ("Jobs", {"number": 1})]
)
def test_what_is_no_limit(http, name, body):
    refused = http.put(f"/limits/{name}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")


def test_a_worker_is_told_of_them_with_its_orders(http):
    http.post("/pipelines", json=definition())
    run = http.post("/pipelines/photos/runs", json={"paths": ["/data"]}).json()["uuid"]
    worker = {"worker": "w", "host": HOST}
    http.post("/runs/claim", json=worker)
    http.put("/limits/jobs", json={"number": 2})
    (told,) = http.post("/runs/orders", json={"worker": "w", "runs": [run]}).json()["items"]
    assert told["limits"] == {"jobs": 2}
