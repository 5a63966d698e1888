from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from blake3 import blake3
from ledgers import (
    COMPUTED,
    HOST,
    OPERATORS,
    STEPS,
    WORKER,
    artifact,
    begin,
    digest,
    done,
    failed,
    found,
    report,
)

from loom.errors import LoomError
from loom.model import Branch, Kind, Origin, Outcome, State, Worker, asset_uuid
from loom.steering import AssetQuery

SHA256 = blake3(b"stands for a sha256").digest()


def test_an_asset_is_found_by_all_that_names_it(loom):
    run = begin(loom)
    hashed = done(0, b'{"sha256":"%s"}' % SHA256.hex().encode())
    loom.report(run, [report("a", found(b"/data/x y.jpg", mtime_ns=1_500_000_000), results=[hashed])])
    asset = loom.asset(asset_uuid(digest("a")))
    assert (asset.blake3, asset.sha256, asset.size) == (digest("a").hex(), SHA256.hex(), 10)
    assert (asset.kind, asset.mime) == (Kind.IMAGE, "image/jpeg")
    (place,) = asset.locations
    assert (place.host, place.path, place.mtime, place.path_b64) == (
        HOST, "/data/x y.jpg", "1970-01-01T00:00:01.500Z", None
    )  # fmt: skip
    assert loom.asset_by_hash("blake3", digest("a")) == asset
    assert loom.asset_by_hash("sha256", SHA256) == asset
    assert loom.asset_by_path(HOST, b"/data/x y.jpg") == asset
    for call, code in (
        (lambda: loom.asset(uuid4()), "NOT_FOUND"),
        (lambda: loom.asset_by_hash("md5", SHA256), "NOT_FOUND"),
        (lambda: loom.asset_by_hash("blake3", SHA256), "NOT_FOUND"),
        (lambda: loom.asset_by_hash("crc32", SHA256), "REQUEST_INVALID"),
        (lambda: loom.asset_by_path("elsewhere", b"/data/x y.jpg"), "NOT_FOUND"),
        (lambda: loom.asset_by_path(HOST, b"/data/x"), "NOT_FOUND"),
        (lambda: loom.asset_results(uuid4()), "NOT_FOUND"),
    ):
        with pytest.raises(LoomError) as refused:
            call()
        assert refused.value.code == code


def test_a_uuid_that_shares_48_bits_is_told_apart(loom):
    run = begin(loom)
    twin = bytearray(digest("a"))
    twin[10] ^= 1
    loom.report(run, [report("a"), report("b")._replace(blake3=bytes(twin), size=11)])
    assert loom.asset(asset_uuid(bytes(twin))).size == 11
    assert loom.asset(asset_uuid(digest("a"))).size == 10
    other = UUID(bytes=asset_uuid(digest("a")).bytes[:-1] + b"\0")
    with pytest.raises(LoomError):
        loom.asset(other)


def test_outputs_that_hold_no_hash_are_stored_all_the_same(loom):
    run = begin(loom)
    for outputs in (b"{}", b'{"sha256":5}', b'{"sha256":"no hex"}'):
        loom.report(run, [report("a", results=[done(0, outputs)])])
    assert loom.assets().items[0].sha256 is None


def test_assets_are_searched_by_name_path_kind_and_collection(loom):
    run = begin(loom)
    loom.report(run, [
        report("a", found("/data/2024/ÉTÉ.JPG".encode()), collections=("summer", "all")),
        report("b", found(b"/data/2024/100%_real.jpg"), found(b"/copy/b.jpg"), collections=("all",)),
        report("c", found(b"/data/2025/film.mp4"), kind=Kind.VIDEO, mime="video/mp4"),
    ])  # fmt: skip

    def names(**given):
        letters = {digest(letter).hex(): letter for letter in "abc"}
        return sorted(letters[asset.blake3] for asset in loom.assets(AssetQuery(**given)).items)

    assert names() == ["a", "b", "c"]
    assert names(q="été") == ["a"]
    assert names(q="E\u0301te\u0301") == ["a"]
    assert names(q="0%_R") == ["b"]
    assert names(q="%") == ["b"]
    assert names(q="2024") == []
    assert names(path="/data/2024") == ["a", "b"]
    assert names(path="/data/2024/1") == ["b"]
    assert names(path="/data/2024/") == ["a", "b"]
    assert names(path="/data/202") == ["a", "b", "c"]
    assert names(path="/") == ["a", "b", "c"]
    assert names(path="/copy", q="real") == []
    assert names(kind=Kind.VIDEO) == ["c"]
    assert names(collection="summer") == ["a"]
    assert names(collection="all", q="b.j") == ["b"]
    assert names(collection="none") == []
    assert loom.assets(AssetQuery(collection="summer")).items[0].collections == ["all", "summer"]


def test_assets_come_in_pages_in_a_stable_order(loom):
    run = begin(loom)
    loom.report(run, [report(str(n), found(b"/data/%d" % n)) for n in range(7)])
    first = loom.assets(AssetQuery(path="/data"), limit=3)
    loom.report(run, [report("later", found(b"/data/later"))])
    second = loom.assets(AssetQuery(path="/data"), limit=3, cursor=first.next)
    third = loom.assets(AssetQuery(path="/data"), limit=3, cursor=second.next)
    seen = [asset.uuid for page in (first, second, third) for asset in page.items]
    assert len(seen) == len(set(seen)) == 8
    assert third.next is None
    with pytest.raises(LoomError) as refused:
        loom.assets(cursor=first.next + "!" if first.next else "!")
    assert refused.value.code == "REQUEST_INVALID"


def test_all_results_of_an_asset_with_what_made_them(loom):
    new, ref = artifact(b"tiny")
    loom.put_artifacts([new])
    first, second = begin(loom), begin(loom, worker=Worker(name="worker", versions={"cortex": "2"}))
    loom.report(first, [report("a", results=[done(0, b'{"n":1}')], outcomes=[COMPUTED, COMPUTED])])
    cached = Outcome(State.SKIPPED, None, Origin.CACHED, Branch.PASS)
    loom.report(second, [report("a", results=[done(1, artifacts=(ref,))], outcomes=[COMPUTED, cached])])
    one, two = loom.asset_results(asset_uuid(digest("a")))
    assert (one.node, one.run, one.outputs, one.origin) == ("sha256", first, {"n": 1}, Origin.COMPUTED)
    assert (two.node, two.run, two.origin, two.signature) == (
        "small", second, Origin.CACHED, STEPS[1].signature.hex()
    )  # fmt: skip
    assert [x.name for x in two.artifacts] == ["thumbnail"]
    assert one.produced_by is not None
    assert two.produced_by is not None
    assert (one.produced_by.versions, two.produced_by.versions) == (WORKER.versions, {"cortex": "2"})
    loom.report(second, [report("b", results=[failed(0, "READ_FAILED")])])
    (broken,) = loom.asset_results(asset_uuid(digest("b")))
    assert (broken.state, broken.verdict, broken.error.code, broken.error.retryable) == (
        State.FAILED, None, "READ_FAILED", True
    )  # fmt: skip


def test_assets_are_listed_with_all_their_results(loom):
    new, ref = artifact(b"tiny")
    loom.put_artifacts([new])
    first, second = begin(loom), begin(loom)
    loom.report(first, [report("a", found(b"/data/a"), results=[done(0), done(1, artifacts=(ref,))])])
    cached = Outcome(State.SKIPPED, None, Origin.CACHED, Branch.PASS)
    loom.report(second, [
        report("b", found(b"/data/b"), results=[done(0)], outcomes=[cached, COMPUTED], kind=Kind.TEXT),
        report("c", found(b"/other/c"), results=[failed(0, "READ_FAILED")]),
        report("d", found(b"/data/d")),
    ])  # fmt: skip
    whole = loom.assets_with_results(AssetQuery())
    assert whole.next is None
    assert [(one.asset, one.results) for one in whole.items] == [
        (asset, loom.asset_results(asset.uuid)) for asset in loom.assets().items
    ]
    by_asset = {one.asset.uuid: one for one in whole.items}
    a, b, c, d = (by_asset[asset_uuid(digest(name))] for name in "abcd")
    assert [len(one.results) for one in (a, b, c, d)] == [2, 1, 1, 0]
    assert b.results[0].origin is Origin.CACHED
    query = AssetQuery(path="/data/")
    one = loom.assets_with_results(query, limit=2)
    two = loom.assets_with_results(query, limit=2, cursor=one.next)
    assert ([len(page.items) for page in (one, two)], two.next) == ([2, 1], None)
    assert loom.assets_with_results(AssetQuery(kind=Kind.TEXT)).items == [b]


def test_places_are_one_present_file_for_each_asset(loom):
    run = begin(loom)
    loom.report(run, [
        report("a", found(b"/data/a"), found(b"/data/a2"), collections=("good",)),
        report("b", found(b"/data/b"), kind=Kind.TEXT),
        report("c", found(b"/data/c")),
    ])  # fmt: skip
    elsewhere = begin(loom, host="elsewhere")
    loom.report(elsewhere, [report("d", found(b"/data/d"))])
    loom.mark_missing(HOST, [(b"/data", b"c"), (b"/data", b"a")])
    assert sorted(loom.places(HOST)) == [b"/data/a2", b"/data/b"]
    assert list(loom.places(HOST, kind=Kind.TEXT)) == [b"/data/b"]
    assert list(loom.places(HOST, collection="good")) == [b"/data/a2"]
    assert list(loom.places("elsewhere")) == [b"/data/d"]


def test_places_are_as_many_as_there_are(loom):
    run = begin(loom)
    loom.report(run, [report(str(n), *(found(b"/data/%d/%d" % (d, n)) for d in range(3))) for n in range(900)])
    assert len(set(loom.places(HOST))) == 900


def test_workers_and_what_they_offer(loom):
    loom.announce(WORKER, "host1", OPERATORS)
    loom.announce(WORKER, "host1", OPERATORS)
    loom.announce(Worker(name="other"), "host2", OPERATORS[:1])
    newer = Worker(name="worker", versions={"cortex": "2"})
    loom.announce(newer, "host1", OPERATORS[1:])
    first, second = loom.workers()
    assert (first.name, first.host, first.operators) == ("other", "host2", ["source.files"])
    assert (second.versions, second.operators) == ({"cortex": "2"}, ["hash.sha256", "toy.size"])
