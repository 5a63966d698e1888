from uuid import uuid4

import pytest
from ledgers import HOST, begin, digest, found, report


@pytest.fixture
def group(loom):
    """Of two similar assets, `a` and the larger `b`."""
    run = begin(loom)
    loom.report(run, [report(name, found(f"/{name}".encode()), size=size) for name, size in (("a", 5), ("b", 6))])
    return loom.propose("similar", [(digest("a"), 0), (digest("b"), 3)])


def test_a_group_is_read_confirmed_and_opened_again(http, group):
    shown = http.get(f"/duplicates/{group}").json()
    assert shown["created"].endswith("Z")
    larger = next(one for one in shown["members"] if one["size"] == 6)
    assert {**shown, "members": len(shown["members"]), "created": ""} == {
        "uuid": str(group), "kind": "similar", "state": "PENDING", "created": "", "decided": None,
        "keeper": larger["id"], "reason": "larger: 6 bytes, the next 5", "members": 2,
    }  # fmt: skip
    assert {name: value for name, value in larger.items() if name not in ("locations", "asset")} == {
        "id": larger["asset"], "blake3": digest("b").hex(), "media": "image", "mime": "image/jpeg",
        "size": 6, "kept": True, "left": False, "distance": 3, "width": None, "height": None, "captured_at": None,
        "complete": None,
    }  # fmt: skip
    assert http.get("/duplicates", params={"state": "PENDING"}).json() == {"items": [shown], "next": None}
    seen = [member["id"] for member in shown["members"]]
    told = http.post(f"/duplicates/{group}/confirm", json={"keeper": seen[0], "members": seen, "seen": seen})
    assert (told.status_code, told.json()["state"], told.json()["keeper"]) == (200, "CONFIRMED", seen[0])
    assert http.post(f"/duplicates/{group}/reopen", json={}).json()["state"] == "PENDING"
    assert http.post(f"/duplicates/{group}/reject", json={"seen": seen}).json()["state"] == "REJECTED"
    assert http.get("/duplicates", params={"state": "PENDING"}).json()["items"] == []


@pytest.mark.parametrize(
    ("verb", "body", "status", "code"),
    [
        ("confirm", {"keep": "x"}, 422, "REQUEST_INVALID"),
        ("confirm", {"keeper": 1}, 422, "REQUEST_INVALID"),
        ("confirm", {"members": ["x"]}, 422, "REQUEST_INVALID"),
        ("confirm", {"seen": ["x"]}, 412, "VERSION_CONFLICT"),
        ("confirm", [], 422, "REQUEST_INVALID"),
        ("reject", {"seen": ["x"]}, 412, "VERSION_CONFLICT"),
        ("reject", {"members": []}, 422, "REQUEST_INVALID"),
        ("reopen", {"seen": []}, 422, "REQUEST_INVALID"),
    ],
)
def test_what_cannot_be_said(http, group, verb, body, status, code):
    refused = http.post(f"/duplicates/{group}/{verb}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert http.get(f"/duplicates/{group}").json()["state"] == "PENDING"
    assert http.post(f"/duplicates/{uuid4()}/{verb}", json={}).json()["code"] == "NOT_FOUND"


def test_what_was_decided_is_a_conflict(http, group):
    http.post(f"/duplicates/{group}/reject", json={})
    refused = http.post(f"/duplicates/{group}/confirm", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "DECIDED")


@pytest.mark.parametrize("query", ["state=OPEN", "kind=near", "asset=x", "limit=0", "status=PENDING", "cursor=x"])
def test_what_cannot_be_asked(http, query):
    assert http.get(f"/duplicates?{query}").json()["code"] == "REQUEST_INVALID"


def test_an_action_is_begun_and_ended(http):
    uuid, digits = str(uuid4()), digest("a").hex()
    action = {"uuid": uuid, "kind": "moved", "asset": digits, "origin_b64": "L2E=", "target_b64": "L/8=",
              "digest": digits, "size": 5, "began": "2026-01-02T03:04:05.678Z"}  # fmt: skip
    for _ in range(2):
        assert http.post("/actions", json={"host": HOST, "action": action}).status_code == 204
    shown = http.get(f"/actions/{uuid}").json()
    assert (shown["origin"], shown["origin_b64"], shown["target_b64"]) == ("/a", None, "L/8=")
    assert (shown["state"], shown["began"], shown["ended"]) == ("BEGUN", "2026-01-02T03:04:05.678Z", None)
    assert http.get("/actions", params={"state": "BEGUN", "host": HOST}).json()["items"] == [shown]
    assert http.post(f"/actions/{uuid}/end", json={"state": "BEGUN"}).json()["code"] == "REQUEST_INVALID"
    assert http.post(f"/actions/{uuid}/end", json={"state": "FAILED", "why": "full"}).status_code == 204
    assert http.post(f"/actions/{uuid}/end", json={"state": "DONE"}).json()["code"] == "DECIDED"
    assert http.get(f"/actions/{uuid}").json()["why"] == "full"
    refused = http.post("/actions", json={"host": HOST, "action": {**action, "kind": "burnt"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")
