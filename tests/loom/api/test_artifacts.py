import json

import pytest
from blake3 import blake3
from ledgers import BROKEN, COMPUTED, artifact, begin, digest, done, failed, found, report

from loom.model import asset_uuid
from loom.verbs import NewArtifact

DATA = bytes(range(256)) * 40


@pytest.fixture
def stored(loom):
    """The address of a picture of 10,240 bytes."""
    new, _ = artifact(DATA)
    loom.put_artifacts([new])
    return f"/artifacts/{new.digest.hex()}"


def test_a_file_is_typed_and_never_changes(http, stored):
    answer = http.get(stored)
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    tag = answer.headers["etag"]
    assert tag == f'"{blake3(DATA).hexdigest()}"'
    assert http.get(stored, headers={"If-None-Match": tag}).status_code == 304
    head = http.head(stored)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10240")


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1), ("bytes=100-199", 206, 100, 200), ("bytes=10000-", 206, 10_000, 10_240),
        ("bytes=10000-99999", 206, 10_000, 10_240), ("bytes=-5", 206, 10_235, 10_240),
        ("bytes=-99999", 206, 0, 10_240), ("bytes=0-1,5-6", 200, 0, 10_240), ("bytes=5-4", 200, 0, 10_240),
        ("lines=1-2", 200, 0, 10_240), ("bytes=x-y", 200, 0, 10_240), ("bytes=-", 200, 0, 10_240),
        ("bytes=10240-", 416, 0, 0), ("bytes=99999-100000", 416, 0, 0), ("bytes=-0", 416, 0, 0),
    ],
)  # fmt: skip
def test_ranges(http, stored, asked, status, start, end):
    answer = http.get(stored, headers={"Range": asked})
    assert (answer.status_code, answer.content if status != 416 else b"") == (status, DATA[start:end])
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/10240"
    if status == 416:
        assert answer.headers["content-range"] == "bytes */10240"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "RANGE_NOT_SATISFIABLE"


def test_a_range_of_another_file_is_the_whole_of_this_one(http, stored):
    tag = http.head(stored).headers["etag"]
    for condition, status in ((tag, 206), ('"other"', 200)):
        answer = http.get(stored, headers={"Range": "bytes=0-1", "If-Range": condition})
        assert answer.status_code == status


@pytest.mark.parametrize("kind", ["image/svg+xml", "text/html", "application/x-thing", "text/html; charset=utf-8"])
def test_what_could_act_in_a_browser_is_offered_for_saving(http, kind):
    data = kind.encode()
    address = f"/artifacts/{blake3(data).hexdigest()}"
    assert http.put(address, content=data, headers={b"Content-Type": kind.encode("latin-1")}).status_code == 204
    assert http.get(address).headers["content-disposition"] == "attachment"


@pytest.mark.parametrize(
    "kind",
    ["image/png\u00e9", "\u2603", "a/b\r\nSet-Cookie: c=d", "a/b\n", "a/b\0", "image", "a/b; c", "a/" + "b" * 254],
)
def test_what_is_no_media_type_is_refused(http, loom, kind):
    data = kind.encode()
    digest = blake3(data).hexdigest()
    head = [{"digest": digest, "media_type": kind, "size": len(data)}]
    refused = [http.post("/artifacts", content=json.dumps(head).encode() + b"\n" + data)]
    if kind.isprintable() and kind.isascii():
        refused.append(http.put(f"/artifacts/{digest}", content=data, headers={"Content-Type": kind}))
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(422, "REQUEST_INVALID")}
    loom.put_artifacts([NewArtifact(blake3(data).digest(), kind, data)])
    answer = http.get(f"/artifacts/{digest}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")


def test_files_come_one_by_one_or_many_at_once(http):
    one, many = b"one file", [b"first", b"", b"third\n\n"]
    assert http.put(f"/artifacts/{blake3(one).hexdigest()}", content=one).status_code == 204
    heads = [{"digest": blake3(d).hexdigest(), "media_type": "text/plain", "size": len(d)} for d in many]
    body = json.dumps(heads).encode() + b"\n" + b"".join(many)
    assert http.post("/artifacts", content=body).status_code == 204
    for data in (one, *many):
        assert http.get(f"/artifacts/{blake3(data).hexdigest()}").content == data
    for wrong in (body + b"x", body[:-1], b"[]\nx", b"{}", b""):
        assert http.post("/artifacts", content=wrong).status_code == 422
    refused = http.put(f"/artifacts/{'0' * 64}", content=b"not that")
    assert (refused.status_code, refused.json()["code"]) == (422, "DIGEST_MISMATCH")


@pytest.mark.parametrize(("name", "status"), [("0" * 64, 404), ("../../etc", 404), ("zz", 422), ("0" * 63, 422)])
def test_what_is_not_there(http, name, status):
    assert http.get(f"/artifacts/{name}").status_code == status


def test_the_thumbnail_is_the_newest_one(http, loom):
    run = begin(loom)
    picture, ref = artifact(b"a thumbnail")
    other, other_ref = artifact(b"a text", name="transcript")
    loom.put_artifacts([picture, other])
    results = [done(0, artifacts=(other_ref,)), done(1, artifacts=(ref,))]
    loom.report(run, [report("a", found(b"/data/a.jpg"), results=results), report("b", found(b"/data/b.jpg"))])
    address = f"/assets/{asset_uuid(digest('a'))}/thumbnail"
    answer = http.get(address)
    assert (answer.content, answer.headers["content-type"]) == (b"a thumbnail", "image/webp")
    assert answer.headers["cache-control"] == "private, max-age=60"
    assert answer.headers["content-location"] == f"/api/v1/artifacts/{picture.digest.hex()}"
    assert http.get(address, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    assert http.head(address).status_code == 200
    assert http.get(f"/assets/{asset_uuid(digest('b'))}/thumbnail").status_code == 404


def test_assets_results_and_failures_are_found(http, loom):
    run = begin(loom)
    results = [done(0, b'{"sha256":"ab"}'), failed(1)]
    item = report("a", found(b"/data/\xff a.jpg"), results=results, outcomes=[COMPUTED, BROKEN])
    loom.report(run, [item])
    asset = http.get(f"/assets/{asset_uuid(digest('a'))}").json()
    assert asset["blake3"] == digest("a").hex()
    assert http.get("/assets", params={"kind": "image"}).json()["items"] == [asset]
    assert http.get("/assets", params={"kind": "video"}).json()["items"] == []
    assert http.get("/assets", params={"kind": "smell"}).status_code == 422
    assert http.get(f"/assets/by-hash/blake3/{asset['blake3'].upper()}").json() == asset
    assert http.get("/assets/by-hash/blake3/zz").json()["code"] == "REQUEST_INVALID"
    (place,) = http.get(f"/assets/{asset['uuid']}/locations").json()["items"]
    assert place.pop("history")
    assert place == asset["locations"][0]
    stored = http.get(f"/assets/{asset['uuid']}/results", params={"limit": 1}).json()
    assert (len(stored["items"]), stored["next"]) == (1, "1")
    outcomes = http.get(f"/runs/{run}/results", params={"state": "FAILED"}).json()["items"]
    assert [(one["node"], one["error"]["code"]) for one in outcomes] == [("small", "FILE_DAMAGED")]
    assert http.get(f"/runs/{run}/results", params={"state": "LOST"}).status_code == 422
    (cause,) = http.get("/failures", params={"run": str(run)}).json()["items"]
    assert (cause["code"], cause["node"], cause["count"], cause["newest"]["asset"]) == (
        "FILE_DAMAGED", "small", 1, asset["uuid"]
    )  # fmt: skip
