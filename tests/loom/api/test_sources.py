import base64

import pytest
from ledgers import HOST, begin, definition, found, report


def put(http, name="card", **body):
    return http.put(f"/sources/{name}", json={"host": HOST, "path": "/media/card", **body})


def test_a_source_is_put_read_and_deleted(http):
    options = {"pipeline": None, "include": ["*.jpg"], "exclude": [], "hidden": True}
    made = put(http, options=options, marker={"kind": "filesystem", "id": "u-1", "inside": "DCIM"})
    assert (made.status_code, made.headers["location"]) == (201, "/api/v1/sources/card")
    shown = made.json()
    assert shown.pop("created").endswith("Z")
    assert shown == {
        "name": "card", "host": HOST, "path": "/media/card", "path_b64": None, "options": options,
        "marker": {"kind": "filesystem", "id": "u-1", "inside": "DCIM", "inside_b64": None},
        "state": "unknown", "seen": None, "files": 0,
    }  # fmt: skip
    again = put(http)
    assert (again.status_code, again.json()["marker"], again.json()["options"]["hidden"]) == (200, None, False)
    assert http.get("/sources/card").json() == again.json()
    assert http.get("/sources").json() == http.get("/sources", params={"host": HOST}).json()
    assert http.get("/sources").json() == {"items": [again.json()], "next": None}
    assert http.get("/sources", params={"host": "other"}).json()["items"] == []
    assert http.delete("/sources/card").status_code == 204
    assert http.delete("/sources/card").json()["code"] == "NOT_FOUND"


def test_many_sources_are_listed_page_by_page(http):
    for name in ("c", "a", "b"):
        put(http, name, path=f"/media/{name}")
    first = http.get("/sources", params={"limit": 2}).json()
    rest = http.get("/sources", params={"limit": 2, "cursor": first["next"]}).json()
    assert [one["name"] for one in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("card", {"path": "media"}, 422, "REQUEST_INVALID"),
        ("card", {"path": None}, 422, "REQUEST_INVALID"),
        ("card", {"path_b64": "L2E="}, 422, "REQUEST_INVALID"),
        ("card", {"host": ""}, 422, "REQUEST_INVALID"),
        ("Card", {}, 422, "REQUEST_INVALID"),
        ("card", {"marker": {"kind": "smell", "id": "x"}}, 422, "REQUEST_INVALID"),
        ("card", {"options": {"include": "*"}}, 422, "REQUEST_INVALID"),
        ("card", {"options": {"include": ["*.jpg", "[z-a]"]}}, 422, "REQUEST_INVALID"),
        ("card", {"options": {"exclude": ["!"]}}, 422, "REQUEST_INVALID"),
        ("card", {"options": {"pipeline": "none"}}, 404, "NOT_FOUND"),
        ("taken", {}, 409, "SOURCE_EXISTS"),
        ("other", {"path": "/taken/"}, 409, "SOURCE_EXISTS"),
    ],
)
def test_what_cannot_be_a_source(http, name, body, status, code):
    put(http, "taken", path="/taken")
    refused = put(http, name, **body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert len(http.get("/sources").json()["items"]) == 1


def test_a_source_is_moved_and_looked_for(http, loom):
    loom.report(begin(loom), [report("a", found(b"/media/card/\xff/a"))])
    put(http)
    strange = base64.b64encode(b"/media/\xfe").decode()
    assert http.post("/sources/card/move", json={"path_b64": strange}).json() == {"count": 1}
    shown = http.get("/sources/card").json()
    assert (shown["path"], shown["path_b64"], shown["files"]) == ("/media/\ufffd", strange, 1)
    assert http.post("/sources/card/move", json={"path": "/media/new"}).json() == {"count": 1}
    assert http.get("/sources/card").json()["path_b64"] is None
    assert http.post("/sources/card/move", json={}).json()["code"] == "REQUEST_INVALID"
    assert http.post("/sources/none/move", json={"path": "/x"}).json()["code"] == "NOT_FOUND"
    assert http.post("/sources/card/seen", json={"reachable": False}).status_code == 204
    assert http.get("/sources/card").json()["state"] == "unreachable"
    assert http.post("/sources/card/seen", json={}).json()["code"] == "REQUEST_INVALID"


def test_a_run_goes_over_a_source(http):
    http.post("/pipelines", json=definition())
    put(http, path_b64=base64.b64encode(b"/media/\xff").decode(), path=None)
    made = http.post("/pipelines/photos/runs", json={"source": "card"})
    assert made.status_code == 202
    assert (made.json()["request"]["paths"], made.json()["request"]["host"]) == (["/media/\ufffd"], HOST)
    given = http.post("/runs/claim", json={"worker": "w", "host": HOST}).json()
    assert base64.b64decode(given["paths_b64"][0]) == b"/media/\xff"


def test_a_run_over_a_source_goes_over_nothing_else(http):
    assert http.post("/pipelines", json=definition()).status_code == 201
    put(http, "card")
    made = http.post("/pipelines/photos/runs", json={"source": "card"})
    assert made.status_code == 202
    told = made.json()["request"]
    assert (told["source"], told["paths"], told["host"]) == ("card", ["/media/card"], HOST)
    claimed = http.post("/runs/claim", json={"worker": "w", "host": HOST}).json()
    assert (claimed["uuid"], claimed["source"]) == (made.json()["uuid"], "card")
    refusals = [
        ({"source": "none"}, 404, "NOT_FOUND"),
        ({"source": "card", "paths": ["/other"]}, 422, "REQUEST_INVALID"),
        ({"source": "card", "filter": {}}, 422, "REQUEST_INVALID"),
        ({"source": "card", "host": "other"}, 422, "REQUEST_INVALID"),
    ]
    for wish, status, code in refusals:
        refused = http.post("/pipelines/photos/runs", json=wish)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
