import httpx
import msgspec
import pytest
from ledgers import COMPUTED, WORKER, begin, closing, definition, found, opening, report
from msgspec.structs import replace

from loom.api.bodies import Limits
from loom.model import Problem
from loom.wire.ledger import report_to_wire
from loom.wire.runs import closing_to_wire, opening_to_wire


def body(**fields):
    own = opening_to_wire(opening(version=0, definition=definition()))
    return {**msgspec.json.decode(msgspec.json.encode(own)), **fields}


def test_a_run_brings_its_definition(http):
    begun = http.post("/runs", json=body())
    assert (begun.status_code, begun.json()["version"]) == (201, 1)
    assert http.get(begun.headers["location"].removeprefix("/api/v1")).json() == begun.json()
    assert http.get("/pipelines").json()["items"] == []


@pytest.mark.parametrize(
    "fields",
    [{"definition": None}, {"definition": []}, {"definition": "photos"}, {"version": 1}, {"version": -1},
     {"pipeline": "other"}],
)  # fmt: skip
def test_a_run_of_no_pipeline_is_refused(http, fields):
    refused = http.post("/runs", json=body(**fields))
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")
    assert http.get("/runs").json()["items"] == []


def test_an_invalid_definition_is_refused_with_all_that_is_wrong(http):
    wrong = definition()
    wrong["graph"]["nodes"][2] |= {"id": "Bad Id", "config": {"size": "x"}}
    refused = http.post("/runs", json=body(definition=wrong)).json()
    assert refused["code"] == "DEFINITION_INVALID"
    assert "ID_INVALID" in {one["code"] for one in refused["diagnostics"]}
    deep = b'{"a":' + b"[" * 90 + b"]" * 90 + b"}"
    sent = msgspec.json.encode(body(definition=msgspec.Raw(deep)))
    refused = http.post("/runs", content=sent).json()
    assert [one["code"] for one in refused["diagnostics"]] == ["TOO_DEEP"]
    deeper = sent.replace(deep, b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}")
    assert http.post("/runs", content=deeper).json()["code"] == "REQUEST_INVALID"
    assert http.get("/runs").json()["items"] == []


def test_a_definition_may_be_as_large_as_one_that_is_saved(serving, token):
    server = serving(limits=Limits(people=1000, batch=8000))
    headers = {"Authorization": f"Bearer {token}"}
    large = body(definition=definition(description="x" * 1000))
    refused = httpx.post(f"{server.url}/api/v1/runs", json=large, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (413, "BODY_TOO_LARGE")
    assert refused.json()["detail"] == "The definition is larger than the 1000 bytes that are allowed here."
    assert httpx.post(f"{server.url}/api/v1/runs", json=body(), headers=headers).status_code == 201


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_an_asset_has_one_outcome_for_each_step(http, loom, steps):
    run = begin(loom)
    item = report_to_wire(report("a", found(b"/data/a"), outcomes=[COMPUTED] * steps))
    said = msgspec.json.encode({"run": run, "items": [item]})
    refused = http.post("/results", content=said)
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")
    assert http.get(f"/runs/{run}/results").json()["items"] == http.get("/assets").json()["items"] == []


@pytest.mark.parametrize("path", ["/workers", "/runs/{run}/finish"])
def test_nothing_of_any_content_may_be_nested_too_deeply(http, loom, path):
    run = begin(loom)
    deep = msgspec.Raw(b'{"a":' * 900 + b"1" + b"}" * 900)
    worker = {"worker": WORKER, "host": "here", "operators": [{"id": "a.b", "version": "1", "config_schema": deep}]}
    end = msgspec.json.decode(msgspec.json.encode(closing_to_wire(closing(run)))) | {"would_write": deep}
    body = worker if path == "/workers" else end
    refused = http.post(path.format(run=run), content=msgspec.json.encode(body))
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")
    assert "100 deep" in refused.json()["detail"]


def test_what_a_run_could_not_read_is_listed(http, loom):
    run = begin(loom)
    problems = tuple(Problem(b"/data/%d" % number, "FILE_UNREADABLE", "no") for number in range(3))
    wire = closing_to_wire(replace(closing(run), problems=problems))
    ended = http.post(f"/runs/{run}/finish", content=msgspec.json.encode(wire))
    assert (ended.status_code, ended.json()["problems"]) == (200, 3)
    first = http.get(f"/runs/{run}/problems", params={"limit": 2}).json()
    rest = http.get(f"/runs/{run}/problems", params={"cursor": first["next"]}).json()
    assert [one["path"] for one in (*first["items"], *rest["items"])] == ["/data/0", "/data/1", "/data/2"]
    assert first["items"][0] == {
        "path": "/data/0", "path_b64": None, "code": "FILE_UNREADABLE", "message": "no", "retryable": True
    }  # fmt: skip
    many = {**msgspec.to_builtins(wire), "problems": [{"code": "X", "message": ""}] * 1001}
    assert http.post(f"/runs/{run}/finish", json=many).status_code == 422


def test_a_dry_run_is_not_tried_again(http, loom):
    loom.save_pipeline(definition())
    run = http.post("/pipelines/photos/runs", json={"paths": ["/data"], "dry_run": True}).json()["uuid"]
    for what in ("results", "grid", "flow", "problems"):
        assert http.get(f"/runs/{run}/{what}").status_code == 200
    assert http.get("/failures", params={"run": run}).json()["items"] == []
    refused = http.post(f"/runs/{run}/retry")
    assert refused.status_code == 422
    assert "dry run" in refused.json()["detail"]
