from __future__ import annotations

import os
from uuid import uuid4

import pytest
from blake3 import blake3
from ledgers import (
    BROKEN,
    COMPUTED,
    HOST,
    PLAN,
    STEPS,
    artifact,
    begin,
    closing,
    digest,
    done,
    failed,
    found,
    report,
)

from loom.errors import LoomError
from loom.model import Branch, KnownAsset, KnownFile, Outcome, Reason, State, StoredResult
from loom.steering import Selection
from loom.verbs import NewArtifact, Parts, Taker

SIGNATURES = [step.signature for step in STEPS]


def look(loom, *contents, runs=()):
    return loom.lookup([digest(content) for content in contents], SIGNATURES, runs)


def test_a_file_is_settled_under_its_plan_while_its_stat_is_the_same(loom):
    run = begin(loom)
    loom.report(run, [
        report("a", found(b"/data/a", size=1, mtime_ns=2, inode=3), settled=True),
        report("b", found(b"/data/b")),
        report("c", found(b"/data/c", trusted=False), settled=True),
    ])  # fmt: skip
    files, empty = loom.known_files(HOST, [b"/data", b"/other"], PLAN)
    assert empty == []
    assert sorted(files) == [
        KnownFile(b"a", 1, 2, 3, 1, True, True, None),
        KnownFile(b"b", 10, 10**18, 5, 1, True, False, digest("b")),
        KnownFile(b"c", 10, 10**18, 5, 1, True, False, None),
    ]
    assert [f.settled for f in loom.known_files(HOST, [b"/data"], digest("other plan"))[0]] == [False] * 3
    assert loom.known_files("elsewhere", [b"/data"], PLAN) == [[]]


def test_a_run_may_settle_under_another_digest_than_its_plan(loom):
    chosen = digest("several pipelines")
    run = begin(loom, settles=chosen)
    loom.report(run, [report("a", found(b"/data/a"), settled=True)])
    assert [loom.known_files(HOST, [b"/data"], plan)[0][0].settled for plan in (chosen, PLAN)] == [True, False]


def test_what_is_left_to_do_unsettles(loom):
    run = begin(loom)
    loom.report(run, [report("a", found(b"/data/a"), outcomes=[COMPUTED, COMPUTED], settled=True)])
    loom.report(run, [report("a", found(b"/data/copy"))])
    assert [f.settled for f in loom.known_files(HOST, [b"/data"], PLAN)[0]] == [True, True]
    loom.report(run, [report("a", found(b"/data/a"), outcomes=[COMPUTED, BROKEN])])
    assert [f.settled for f in loom.known_files(HOST, [b"/data"], PLAN)[0]] == [False, False]


def test_stats_of_any_size_and_names_of_any_bytes_are_kept(loom):
    run = begin(loom)
    place = found(b"/data/\xff\n'%s", size=2**40, mtime_ns=-5, inode=2**64 - 1)
    far = found(b"/" + b"d" * 4000 + b"/f", mtime_ns=2**70)
    loom.report(run, [report("a", place, settled=True), report("far", far)])
    assert loom.known_files(HOST, [b"/data"], PLAN) == [
        [KnownFile(b"\xff\n'%s", 2**40, -5, 2**64 - 1, 1, True, True, None)]
    ]
    assert loom.known_files(HOST, [b"/" + b"d" * 4000], PLAN)[0][0].mtime_ns != 2**70
    assert loom.asset_by_path(HOST, b"/data/\xff\n'%s").locations[0].path_b64 is not None


def test_vanished_and_unreachable_files(loom):
    run = begin(loom)
    places = [b"/data/a", b"/data/sub/b", b"/data2/c", b"/d"]
    loom.report(run, [report(p.decode(), found(p), settled=True) for p in places])
    assert loom.known_directories(HOST, b"/data") == [b"/data", b"/data/sub"]
    assert loom.known_directories(HOST, b"/data/") == [b"/data", b"/data/sub"]
    assert loom.known_directories(HOST, b"/") == [b"/", b"/data", b"/data/sub", b"/data2"]
    assert loom.mark_missing(HOST, [(b"/data", b"a"), (b"/data", b"never"), (b"/no", b"a")]) == 1
    assert loom.mark_missing(HOST, [(b"/data", b"a")]) == 0
    assert loom.mark_unreachable(HOST, b"/data") == 1
    assert loom.mark_unreachable(HOST, b"/data") == 0
    assert loom.known_directories(HOST, b"/data") == [b"/data/sub"]
    away = loom.known_files(HOST, [b"/data/sub"], PLAN)[0][0]
    assert (away.present, away.settled, away.away, away.asset) == (True, False, True, digest("/data/sub/b"))
    assert not loom.known_files(HOST, [b"/data/sub"], digest("other plan"))[0][0].away
    assert loom.mark_unreachable(HOST, b"/d") == 1
    assert loom.mark_unreachable(HOST, b"/data2/c") == 1
    missing = loom.known_files(HOST, [b"/data"], PLAN)[0][0]
    assert (missing.present, missing.settled, missing.asset) == (False, False, digest("/data/a"))
    states = [str(loom.asset_by_path(HOST, p).locations[0].state) for p in places]
    assert states == ["missing", "unreachable", "unreachable", "unreachable"]
    assert loom.mark_missing(HOST, [(b"/data/sub", b"b")]) == 0
    assert str(loom.asset_by_path(HOST, b"/data/sub/b").locations[0].state) == "missing"
    assert loom.known_directories(HOST, b"/data") == []
    loom.report(run, [report("/data/a", found(b"/data/a"))])
    assert loom.known_files(HOST, [b"/data"], PLAN)[0][0].settled


def test_what_can_be_reached_again_is_present_and_settled(loom):
    run = begin(loom)
    places = [b"/data/a", b"/data/b", b"/data/c", b"/data/d"]
    loom.report(
        run,
        [
            report(
                p.decode(),
                found(p),
                outcomes=[BROKEN if p == b"/data/b" else COMPUTED, COMPUTED],
                settled=p != b"/data/d",
            )
            for p in places
        ],
    )
    loom.mark_unreachable(HOST, b"/data")
    loom.mark_missing(HOST, [(b"/data", b"c")])
    told = [(b"/data", name) for name in (b"a", b"b", b"c", b"never")] + [(b"/nowhere", b"a")]
    assert [(f.name, f.away) for f in sorted(loom.known_files(HOST, [b"/data"], PLAN)[0])] == [
        (b"a", True), (b"b", True), (b"c", False), (b"d", False)
    ]  # fmt: skip
    assert loom.mark_present(HOST, told, 2**63 + 5) == 2
    assert loom.mark_present(HOST, told, 2**63 + 5) == 0
    files = sorted(loom.known_files(HOST, [b"/data"], PLAN)[0])
    assert [(f.settled, f.away, f.failed, f.device) for f in files[:2]] == [
        (True, False, False, 2**63 + 5), (True, False, True, 2**63 + 5)
    ]  # fmt: skip
    states = [str(loom.asset_by_path(HOST, place).locations[0].state) for place in places]
    assert states == ["present", "present", "missing", "unreachable"]


def test_it_tells_where_a_file_is_remembered(loom):
    run = begin(loom)
    loom.report(run, [report("a", found(b"/data/a")), report("b", found(b"/data/\xff"))])
    loom.mark_missing(HOST, [(b"/data", b"a")])
    asked = [(b"/data", b"never"), (b"/data", b"a"), (b"/nowhere", b"a"), (b"/data", b"\xff")]
    assert loom.known_places(HOST, asked) == [False, True, False, True]
    assert loom.known_places("elsewhere", asked) == [False] * 4
    assert loom.known_places(HOST, []) == []


def test_only_files_of_one_device_are_unreachable_when_it_is_given(loom):
    run = begin(loom)
    for name, device in ((b"a", 2**63 + 5), (b"b", 7)):
        place = found(b"/data/sub/" + name)
        place = place._replace(stat=place.stat._replace(device=device))
        loom.report(run, [report(name.decode(), place, settled=True)])
    assert {file.name: file.device for file in loom.known_files(HOST, [b"/data/sub"], PLAN)[0]} == {
        b"a": 2**63 + 5, b"b": 7
    }  # fmt: skip
    assert loom.mark_unreachable(HOST, b"/data", 8) == 0
    assert loom.mark_unreachable(HOST, b"/data", 2**63 + 5) == 1
    states = [str(loom.asset_by_path(HOST, path).locations[0].state) for path in (b"/data/sub/a", b"/data/sub/b")]
    assert states == ["unreachable", "present"]


def test_an_asset_is_settled_under_the_digest_that_its_report_names(loom):
    run = begin(loom)
    other = digest("some pipelines")

    def settled() -> list[bool]:
        return [loom.known_files(HOST, [b"/data"], plan)[0][0].settled for plan in (PLAN, other)]

    loom.report(run, [report("a", found(b"/data/a"), settled=True, settles=other)])
    assert settled() == [False, True]
    loom.report(run, [report("a", found(b"/data/a"), outcomes=[COMPUTED, BROKEN])])
    assert settled() == [False, True]
    loom.report(run, [report("a", found(b"/data/a"), outcomes=[COMPUTED, COMPUTED], settled=True)])
    loom.report(run, [report("a", found(b"/data/a"), outcomes=[COMPUTED, BROKEN], settles=other)])
    assert settled() == [True, False]


def test_new_content_at_the_same_path(loom):
    run = begin(loom)
    loom.report(run, [report("old", found(b"/data/a"), settled=True)])
    loom.report(run, [report("new", found(b"/data/a", size=11), size=11)])
    assert loom.known_files(HOST, [b"/data"], PLAN)[0] == [
        KnownFile(b"a", 11, 10**18, 5, 1, True, False, digest("new"))
    ]
    assert loom.asset_by_path(HOST, b"/data/a").blake3 == digest("new").hex()
    assert loom.known_sizes([9, 10, 11]) == {10, 11}
    assert loom.known_sizes([]) == set()


def test_stored_results_are_given_back_as_they_were(loom):
    new, ref = artifact(b"tiny picture")
    loom.put_artifacts([new])
    run = begin(loom)
    result = done(1, b'{"width":3,"name":"\xc3\xa9"}', artifacts=(ref,))
    loom.report(run, [report("a", found(b"/data/a"), results=[result])])
    rejected = StoredResult(STEPS[0].signature, State.COMPLETED, Branch.FAIL, b"{}")
    loom.report(run, [report("b", results=[rejected, failed(1)])])
    known, other, unknown = look(loom, "a", "b", "never")
    assert known == KnownAsset(True, (result,), False)
    assert set(other.results) == {rejected, failed(1)}
    assert unknown == KnownAsset(False)
    assert loom.lookup([digest("a")], [digest("other signature")])[0] == KnownAsset(True)
    assert loom.lookup([digest("a")], [])[0] == KnownAsset(True)
    assert loom.lookup([], SIGNATURES) == []


def test_a_failure_that_may_be_tried_again_is_not_given_but_shown(loom):
    run = begin(loom)
    loom.report(run, [report("a", results=[failed(0, "READ_FAILED")], outcomes=[BROKEN, COMPUTED])])
    assert look(loom, "a") == [KnownAsset(True)]
    assert [f.code for f in loom.failures()] == ["READ_FAILED"]


def test_a_completed_result_is_never_replaced_by_a_failed_one(loom):
    run = begin(loom)
    loom.report(run, [report("a", results=[failed(0)])])
    loom.report(run, [report("a", results=[done(0, b'{"try":2}')])])
    loom.report(run, [report("a", results=[failed(0)])])
    assert look(loom, "a")[0].results == (done(0, b'{"try":2}'),)
    loom.report(run, [report("a", results=[done(0, b'{"try":3}')])])
    assert look(loom, "a")[0].results == (done(0, b'{"try":3}'),)


def test_what_failed_is_gone_once_it_completed_and_what_is_set_aside_stays_so(loom):
    run = begin(loom)
    loom.report(run, [report(one, results=[failed(0)], outcomes=[BROKEN, COMPUTED]) for one in ("a", "b")])
    assert loom.set_aside(Selection()) == 2
    again = report("b", results=[failed(0, "FILE_EMPTY", "nothing")], outcomes=[BROKEN, COMPUTED])
    loom.report(run, [report("a", results=[done(0)], outcomes=[COMPUTED, COMPUTED]), again])
    assert loom.failures() == []
    assert [(f.code, f.message, f.count, f.aside) for f in loom.failures(Selection(aside=True))] == [
        ("FILE_EMPTY", "nothing", 1, 1)
    ]
    shown = {(r.state, r.verdict, r.error and r.error.code) for r in loom.run_results(run, node="sha256").items}
    assert shown == {(State.COMPLETED, Branch.PASS, None), (State.FAILED, None, "FILE_EMPTY")}


def test_a_new_result_takes_its_derived_files_with_it(loom):
    (new, ref), (newer, newer_ref) = artifact(b"one", "first"), artifact(b"two", "second")
    loom.put_artifacts([new, newer])
    run = begin(loom)
    loom.report(run, [report("a", results=[done(1, artifacts=(ref,))])])
    loom.report(run, [report("a", results=[done(1, artifacts=(newer_ref,))])])
    assert look(loom, "a")[0].results[0].artifacts == (newer_ref,)
    loom.report(run, [report("a", results=[failed(1)])])
    assert look(loom, "a")[0].results[0].artifacts == (newer_ref,)


def test_saying_a_report_twice_changes_nothing(loom):
    new, ref = artifact(b"tiny")
    loom.put_artifacts([new])
    loom.put_artifacts([new, new])
    run = begin(loom)
    batch = [
        report("a", found(b"/data/a"), results=[done(0), done(1, artifacts=(ref,))], outcomes=[COMPUTED, COMPUTED],
               collections=("good",)),
        report("a", found(b"/data/b")),
    ]  # fmt: skip
    loom.report(run, batch)
    before = (loom.assets(), loom.run_results(run).items[0].outputs, look(loom, "a", runs=[run]))
    loom.report(run, batch)
    assert (loom.assets(), loom.run_results(run).items[0].outputs, look(loom, "a", runs=[run])) == before
    assert len(loom.run_results(run).items) == 2
    assert loom.assets().items[0].collections == ["good"]
    assert len(loom.assets().items[0].locations) == 2


def test_walked_tells_of_the_runs_asked_for(loom):
    run, other = begin(loom), begin(loom)
    loom.report(run, [report("a", outcomes=[COMPUTED, COMPUTED]), report("b")])
    assert [known.walked for known in look(loom, "a", "b", runs=[run])] == [True, False]
    assert [known.walked for known in look(loom, "a", "b", runs=[other, uuid4()])] == [False, False]
    assert [known.walked for known in look(loom, "a", runs=[other, run])] == [True]


def test_a_batch_is_stored_whole_or_not_at_all(loom):
    run = begin(loom)
    foreign = StoredResult(digest("no step"), State.COMPLETED, Branch.PASS, b"{}")
    unkept = done(1, artifacts=(artifact(b"never handed in")[1],))
    for wrong in (foreign, unkept):
        with pytest.raises(LoomError) as refused:
            loom.report(run, [report("a", found(b"/data/a")), report("b", results=[wrong])])
        assert refused.value.code == "REQUEST_INVALID"
    assert loom.assets().items == []
    assert loom.known_files(HOST, [b"/data"], PLAN) == [[]]


def test_only_an_open_run_takes_reports(loom):
    with pytest.raises(LoomError) as unknown:
        loom.report(uuid4(), [report("a")])
    assert unknown.value.code == "NOT_FOUND"
    run = begin(loom)
    loom.finish_run(closing(run))
    with pytest.raises(LoomError) as ended:
        loom.report(run, [report("a")])
    assert ended.value.code == "REQUEST_INVALID"
    loom.report(begin(loom), [])


def test_two_nodes_with_one_signature_share_its_result(loom):
    twins = (STEPS[0], STEPS[0]._replace(node="again"))
    run = begin(loom, steps=twins, plan=digest("twins"))
    stored = Outcome(State.SKIPPED, Reason.STORED, None, Branch.PASS)
    loom.report(run, [report("a", results=[done(0, b'{"n":1}')], outcomes=[COMPUTED, stored])])
    assert [(r.node, r.outputs) for r in loom.run_results(run).items] == [("sha256", {"n": 1}), ("again", {"n": 1})]
    assert len(look(loom, "a")[0].results) == 1


def test_derived_files_are_kept_by_their_digest(loom):
    new, ref = artifact(b"tiny picture" * 1000)
    loom.put_artifacts([new])
    loom.put_artifacts([])
    assert loom.artifact(ref.digest) == ("image/webp", new.data)
    with pytest.raises(LoomError) as wrong:
        loom.put_artifacts([artifact(b"fine")[0], new._replace(digest=digest("other"))])
    assert wrong.value.code == "DIGEST_MISMATCH"
    for nothing in (blake3(b"fine").digest(), digest("other")):
        with pytest.raises(LoomError) as missing:
            loom.artifact(nothing)
        assert missing.value.code == "NOT_FOUND"


def test_messages_with_what_no_text_can_hold(loom):
    run = begin(loom)
    loom.report(run, [report("a", results=[failed(0, message="bad \0 name \udcff")], outcomes=[BROKEN, COMPUTED])])
    assert loom.failures()[0].message == "bad \ufffd name ?"


def test_an_assets_type_is_what_the_newest_worker_says(loom):
    run = begin(loom)
    loom.report(run, [report("a", mime="application/octet-stream")])
    loom.report(run, [report("a", mime="image/heic")])
    assert [asset.mime for asset in loom.assets().items] == ["image/heic"]
    loom.report(run, [report("a", mime="application/epub+zip\0\n<script>")])
    assert [asset.mime for asset in loom.assets().items] == ["application/epub+zip\ufffd\n<script>"]


def test_more_than_one_statement_can_ask_for(loom):
    run = begin(loom)
    contents = [str(n) for n in range(1100)]
    loom.report(run, [report(c, found(b"/data/" + c.encode()), results=[done(0)], size=n)
                      for n, c in enumerate(contents)])  # fmt: skip
    assert all(len(known.results) == 1 for known in look(loom, *contents))
    assert len(loom.known_files(HOST, [b"/data"], PLAN)[0]) == 1100
    assert len(loom.known_sizes(range(2000))) == 1100
    assert loom.mark_missing(HOST, [(b"/data", c.encode()) for c in contents]) == 1100


def test_what_one_has_in_hand_is_elsewhere_for_others(loom):
    def elsewhere(taker, *contents):
        assets = [digest(content) for content in contents]
        return [known.elsewhere for known in loom.lookup(assets, SIGNATURES, (), taker)]

    one, two, other = Taker("one", PLAN), Taker("two", PLAN), Taker("two", digest("other plan"))
    assert elsewhere(one, "a", "b") == [False, False]
    assert elsewhere(two, "b", "c") == [True, False]
    assert elsewhere(other, "b") == [False]
    assert elsewhere(None, "a") == [False], "who takes nothing waits for nobody"
    loom.keep_in_hand(one, [digest("a"), digest("b")])
    loom.report(begin(loom), [report("b", found(b"/data/b"), results=[done(0)])])
    (known,) = loom.lookup([digest("b")], SIGNATURES, (), two)
    assert (known.elsewhere, len(known.results)) == (True, 1)
    loom.keep_in_hand(one, [])
    assert elsewhere(two, "a", "b") == [False, False]


def test_a_derived_file_that_is_too_large_for_memory(loom, tmp_path):
    """It comes out of a file, in pieces that need not stand there in their order, and is had again as a whole."""
    data = bytes(range(251)) * 40_000
    (path := tmp_path / "scratch").write_bytes(data)
    whole = Parts.whole(os.open(path, os.O_RDONLY))
    turned = Parts(whole.file, ((9_000_000, len(data) - 9_000_000), (0, 9_000_000)))
    key = blake3(data[9_000_000:] + data[:9_000_000]).digest()
    loom.put_artifacts([NewArtifact(key, "video/mp4", b"", turned)])
    loom.put_artifacts([NewArtifact(key, "video/mp4", b"", turned)])
    assert loom.artifact(key) == ("video/mp4", data[9_000_000:] + data[:9_000_000])
    with pytest.raises(LoomError) as caught:
        loom.put_artifacts([NewArtifact(key[::-1], "video/mp4", b"", turned)])
    assert caught.value.code == "DIGEST_MISMATCH"
    with pytest.raises(LoomError) as caught:
        loom.artifact(key[::-1])
    assert caught.value.code == "NOT_FOUND"
