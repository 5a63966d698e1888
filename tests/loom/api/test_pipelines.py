import threading

import pytest
from ledgers import begin, definition

from loom.store import pipelines
from loom.store.database import Database


def test_each_save_that_changes_something_is_a_version(http):
    first = http.post("/pipelines", json=definition())
    assert (first.status_code, first.json()["version"]) == (201, 1)
    assert first.headers["location"] == "/api/v1/pipelines/photos"
    for again in (http.put("/pipelines/photos", json=definition()), http.post("/pipelines", json=definition())):
        assert (again.status_code, again.json()) == (200, first.json())
    second = http.put(
        "/pipelines/photos", json={key: value for key, value in definition(size=2).items() if key != "name"}
    )
    assert (second.status_code, second.json()["version"]) == (200, 2)
    versions = http.get("/pipelines/photos/versions").json()
    assert [one["version"] for one in versions["items"]] == [2, 1]
    restored = http.post("/pipelines/photos/versions/1/restore").json()
    assert (restored["version"], restored["definition"]) == (3, first.json()["definition"])
    assert http.get("/pipelines/photos", params={"version": 2}).json() == second.json()
    fourth = http.post("/pipelines", json=definition(size=4))
    assert (fourth.status_code, fourth.json()["version"]) == (201, 4)
    assert http.put("/pipelines/other", json=definition("other")).status_code == 201


def test_runs_of_a_pipeline_that_never_was(http, loom):
    assert http.get("/pipelines/photos/runs").status_code == 404
    run = begin(loom)
    loom.save_pipeline(definition("idle"))
    assert http.get("/pipelines/idle/runs").json() == {"items": [], "next": None}
    loom.delete_pipeline("photos")
    assert [one["uuid"] for one in http.get("/pipelines/photos/runs").json()["items"]] == [str(run)]


def test_if_match_keeps_from_overwriting(http):
    tag = http.post("/pipelines", json=definition()).headers["etag"]
    assert http.put("/pipelines/photos", json=definition(size=2), headers={"If-Match": tag}).status_code == 200
    for method, headers in (("PUT", {"If-Match": tag}), ("DELETE", {"If-Match": tag})):
        stale = http.request(method, "/pipelines/photos", json=definition(size=3), headers=headers)
        assert (stale.status_code, stale.json()["code"], stale.json()["retryable"]) == (412, "VERSION_CONFLICT", True)
    assert http.put("/pipelines/other", json=definition("other"), headers={"If-Match": "*"}).status_code == 412
    for bad in ("photos", '"a", "b"', 'W/"a"', '""'):
        assert http.put("/pipelines/photos", json=definition(), headers={"If-Match": bad}).status_code == 422
    now = http.get("/pipelines/photos").headers["etag"]
    assert http.get("/pipelines/photos", headers={"If-None-Match": f'"x", W/{now}'}).status_code == 304
    assert http.delete("/pipelines/photos", headers={"If-Match": now}).status_code == 204
    assert http.get("/pipelines/photos").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("DELETE", "", None), ("PUT", "", definition(size=3)), ("POST", "/versions/1/restore", None)],
    ids=["delete", "put", "restore"],
)
def test_the_tag_still_holds_when_the_change_is_made(http, tmp_path, method, path, body):
    """Another process saves a new version while the request waits for its turn to write."""
    tag = http.post("/pipelines", json=definition()).headers["etag"]
    answers = []
    request = threading.Thread(
        target=lambda: answers.append(
            http.request(method, f"/pipelines/photos{path}", json=body, headers={"If-Match": tag})
        )
    )
    other = Database.open(f"sqlite:///{tmp_path}/loom.db")
    with other.write() as connection:
        request.start()
        request.join(0.5)
        assert not answers, "it cannot be done yet"
        pipelines.save(connection, definition(size=2), None, 0)
    request.join()
    other.close()
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(412, "VERSION_CONFLICT")]
    assert http.get("/pipelines/photos").json()["version"] == 2


@pytest.mark.parametrize("name", ["operators", "compile", "runtime", "events"])
def test_addresses_are_no_names(http, name):
    refused = http.put(f"/pipelines/{name}", json=definition(name))
    assert (refused.status_code, refused.json()["code"]) == (422, "DEFINITION_INVALID")
    assert [one["code"] for one in refused.json()["diagnostics"]] == ["NAME_RESERVED"]


def test_an_invalid_definition_is_refused_with_all_that_is_wrong(http):
    broken = definition()
    broken["graph"]["nodes"].append({"id": "Bad Id", "operator": "toy.size", "config": {"size": "x"}})
    broken["graph"]["edges"].append({"from": {"node": "nobody"}, "to": {"node": "small"}})
    refused = http.post("/pipelines", json=broken).json()
    assert refused["code"] == "DEFINITION_INVALID"
    assert {"ID_INVALID", "EDGE_NODE_UNKNOWN"} <= {one["code"] for one in refused["diagnostics"]}
    assert set(refused["diagnostics"][0]) == {"level", "code", "message", "node", "edge", "field"}
    assert http.get("/pipelines").json() == {"items": [], "next": None}


def test_the_name_in_the_body_is_that_of_the_address(http):
    refused = http.put("/pipelines/videos", json=definition("photos"))
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")


def test_compile_answers_any_object_and_stores_nothing(http):
    bare = definition()["graph"]
    for document in (
        {},
        {"name": 5},
        {"nodes": []},
        {"graph": []},
        {"a": [None, {"b": 1e300}]},
        {"nodes": {"a": "\u0000"}},
    ):
        answer = http.post("/pipelines/compile", json=document)
        assert answer.status_code == 200
        assert answer.json()["valid"] is False
        assert answer.json()["diagnostics"]
    for document in (definition(), bare):
        compiled = http.post("/pipelines/compile", json=document).json()
        assert (compiled["valid"], compiled["diagnostics"]) == (True, [])
        assert [step["node"] for step in compiled["plan"]["steps"]] == ["sha256", "small"]
        assert compiled["plan"]["steps"][0]["inbound"] == [{"node": "files", "branch": None}]
    unknown = definition()
    unknown["graph"]["nodes"][1]["operator"] = "who.knows"
    compiled = http.post("/pipelines/compile", json=unknown).json()
    assert (compiled["valid"], compiled["plan"]) == (True, None)
    assert [(one["level"], one["code"]) for one in compiled["diagnostics"]] == [("warning", "OPERATOR_UNKNOWN")]
    assert http.get("/pipelines").json()["items"] == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"{", b'{"a": NaN}', b'{"a": "\xff"}', b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
             b'{"a":' + b"[" * 150 + b"]" * 150 + b"}", b'{"a": 1e999}'],
)  # fmt: skip
def test_what_is_no_object_is_refused(http, body):
    refused = http.post("/pipelines/compile", content=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")


def test_operators_are_listed_with_all_that_is_known(http):
    listed = http.get("/pipelines/operators", params={"limit": 2}).json()
    assert [one["id"] for one in listed["items"]] == ["hash.sha256", "source.files"]
    rest = http.get("/pipelines/operators", params={"cursor": listed["next"]}).json()
    assert ([one["id"] for one in rest["items"]], rest["next"]) == (["toy.size"], None)
    one = http.get("/pipelines/operators/toy.size").json()
    assert one["config_schema"]["properties"]["size"] == {"type": "integer"}
    assert one["inputs"][0]["id"] == "in"
    assert http.get("/pipelines/operators/nope").status_code == 404


def test_lists_come_in_pages(http):
    for name in ("a", "b", "c"):
        http.post("/pipelines", json=definition(name))
    first = http.get("/pipelines", params={"limit": 2}).json()
    assert [one["name"] for one in first["items"]] == ["a", "b"]
    assert [one["name"] for one in http.get("/pipelines", params={"cursor": first["next"]}).json()["items"]] == ["c"]
    for wrong in ({"limit": 0}, {"limit": 501}, {"limit": "x"}, {"cursor": "!"}):
        refused = http.get("/pipelines", params=wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")
    assert http.get("/workers", params={"cursor": "x"}).status_code == 422


def test_runs_of_a_pipeline(http, loom):
    run = begin(loom)
    (listed,) = http.get("/pipelines/photos/runs").json()["items"]
    assert listed == http.get(f"/runs/{run}").json()
    assert http.get("/pipelines/other/runs").status_code == 404
