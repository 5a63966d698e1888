"""Folders that are known by a name."""

from __future__ import annotations

import pytest
from ledgers import COMPUTED, HOST, PLAN, begin, definition, digest, done, found, report
from msgspec.structs import replace

from loom.errors import LoomError
from loom.model import asset_uuid
from loom.sources import Marker, Source, SourceOptions
from loom.steering import AssetQuery

OLD, NEW = b"/media/old", b"/media/new"


def source(name="card", path=OLD, **more) -> Source:
    return Source(name=name, host=HOST, path=path, **more)


def code_of(call) -> str:
    with pytest.raises(LoomError) as refused:
        call()
    return refused.value.code


def ingested(loom, *files, inode=5):
    """Each file is (content, path)."""
    run = begin(loom)
    loom.report(run, [
        report(content, found(path, inode=inode), results=[done(0)], outcomes=[COMPUTED, COMPUTED], settled=True)
        for content, path in files
    ])  # fmt: skip
    return run


def lying(loom, content) -> list[tuple[str, str, list[str]]]:
    """Where an asset lies and lay: path, state, changes."""
    places = loom.asset_locations(asset_uuid(digest(content)))
    return [(place.path, str(place.state), [change.change for change in place.history]) for place in places]


def known(loom, directory):
    (files,) = loom.known_files(HOST, [directory], PLAN)
    return {file.name: file for file in files}


def test_a_source_is_kept_as_it_was_said(loom):
    loom.save_pipeline(definition())
    options = SourceOptions(pipeline="photos", include=("*.jpg", "*.cr2"), exclude=("tmp/**",), hidden=True)
    said = source(
        path=b"/media/\xff/x", options=options, marker=Marker(kind="filesystem", id="u-1", inside=b"DCIM\xfe")
    )
    saved = loom.save_source(said)
    assert saved.source() == said
    assert (saved.path, saved.path_b64) == ("/media/\ufffd/x", "L21lZGlhL/8veA==")
    assert (saved.state, saved.seen, saved.files) == ("unknown", None, 0)
    assert saved.marker is not None
    assert (saved.marker.inside, saved.marker.inside_b64) == ("DCIM\ufffd", "RENJTf4=")
    assert loom.source("card") == saved
    plain = loom.save_source(source("archive", b"//data///archive/"))
    assert (plain.source(), plain.path_b64) == (source("archive", b"/data/archive"), None)
    there = loom.save_source(Source(name="there", host="there", path=OLD, marker=Marker(kind="file", id="x")))
    assert there.source().marker == Marker(kind="file", id="x")
    assert loom.sources() == [plain, saved, there]
    assert loom.sources(host="there") == [there]
    assert loom.sources(host="nowhere") == []


def test_what_a_source_is_told_again_replaces_its_options_and_marker(loom):
    before = loom.save_source(source(options=SourceOptions(hidden=True), marker=Marker(kind="file", id="x")))
    loom.source_seen("card", reachable=True)
    after = loom.save_source(source(path=OLD + b"/", options=SourceOptions(include=("*",))))
    assert after.source() == source(options=SourceOptions(include=("*",)))
    assert (after.created, after.state) == (before.created, "reachable")
    assert loom.sources() == [after]


def test_names_and_places_are_unique(loom):
    loom.save_source(source())
    assert code_of(lambda: loom.save_source(source(path=NEW))) == "SOURCE_EXISTS"
    assert code_of(lambda: loom.save_source(replace(source(), host="other"))) == "SOURCE_EXISTS"
    assert code_of(lambda: loom.save_source(source("other"))) == "SOURCE_EXISTS"
    assert loom.save_source(replace(source("other"), host="other")).path == "/media/old"


@pytest.mark.parametrize("name", ["Card", "-card", "a b", "x" * 65, "card\n", "ä"])
def test_not_everything_is_a_name(loom, name):
    assert code_of(lambda: loom.save_source(source(name))) == "REQUEST_INVALID"


@pytest.mark.parametrize("path", [b"", b"data", b"/data/../x", b"/./data", b"/a\0b"])
def test_not_everything_is_a_path(loom, path):
    assert code_of(lambda: loom.save_source(source(path=path))) == "REQUEST_INVALID"
    loom.save_source(source())
    assert code_of(lambda: loom.move_source("card", path)) == "REQUEST_INVALID"


def test_a_source_names_a_stored_pipeline(loom):
    asked = source(options=SourceOptions(pipeline="photos"))
    assert code_of(lambda: loom.save_source(asked)) == "NOT_FOUND"
    loom.save_pipeline(definition())
    assert loom.save_source(asked).options.pipeline == "photos"


def test_a_name_is_forgotten_without_the_files(loom):
    ingested(loom, ("a", OLD + b"/a"))
    loom.save_source(source())
    loom.remove_source("card")
    assert loom.sources() == []
    assert lying(loom, "a") == [("/media/old/a", "present", ["found"])]
    for call in (
        lambda: loom.source("card"),
        lambda: loom.remove_source("card"),
        lambda: loom.move_source("card", NEW),
        lambda: loom.source_seen("card", reachable=True),
    ):
        assert code_of(call) == "NOT_FOUND"


def test_it_tells_whether_it_was_found(loom):
    loom.save_source(source())
    loom.source_seen("card", reachable=False)
    assert loom.source("card").state == "unreachable"
    loom.source_seen("card", reachable=True)
    shown = loom.source("card")
    assert (shown.state, shown.seen is not None) == ("reachable", True)


def test_present_files_are_counted(loom):
    ingested(loom, ("a", OLD + b"/a"), ("b", OLD + b"/deep/er/b"), ("c", OLD + b"er/c"), ("e", OLD + b"/e"))
    ingested(loom, ("d", b"/media/d"))
    loom.mark_missing(HOST, [(OLD, b"e")])
    for name, path in (("card", OLD), ("all", b"/"), ("deep", OLD + b"/deep"), ("file", b"/media/d"), ("none", b"/no")):
        loom.save_source(source(name, path))
    loom.save_source(Source(name="there", host="there", path=b"/"))
    counts = {"all": 4, "card": 2, "deep": 1, "file": 1, "none": 0, "there": 0}
    assert {one.name: one.files for one in loom.sources()} == counts
    assert loom.source("card").files == 2


def test_a_moved_source_takes_all_that_is_known_with_it(loom):
    ingested(loom, ("a", OLD + b"/a"), ("b", OLD + b"/x/\xff/b"), ("c", OLD + b"er/c"), ("gone", OLD + b"/gone"))
    loom.mark_missing(HOST, [(OLD, b"gone")])
    before = known(loom, OLD)
    loom.save_source(source())
    assert loom.move_source("card", NEW + b"/") == 3 - 1
    assert lying(loom, "a") == [("/media/new/a", "present", ["found"])]
    assert lying(loom, "b") == [("/media/new/x/\ufffd/b", "present", ["found"])]
    assert lying(loom, "c") == [("/media/older/c", "present", ["found"])]
    assert lying(loom, "gone") == [("/media/new/gone", "missing", ["found", "gone"])]
    assert known(loom, OLD) == {}
    assert known(loom, NEW) == before
    assert known(loom, NEW)[b"a"].settled
    assert loom.known_directories(HOST, b"/media") == [NEW, NEW + b"/x/\xff", OLD + b"er"]
    assert (loom.source("card").path, loom.source("card").files) == ("/media/new", 2)
    assert loom.move_source("card", NEW) == 0


def test_what_was_out_of_reach_stays_so_until_it_is_seen(loom):
    run = ingested(loom, ("a", OLD + b"/a"), ("b", OLD + b"/b"))
    loom.save_source(source())
    loom.mark_unreachable(HOST, OLD)
    loom.move_source("card", NEW)
    assert lying(loom, "a") == [("/media/new/a", "unreachable", ["found"])]
    file = known(loom, NEW)[b"a"]
    assert (file.present, file.settled, file.asset) == (True, False, digest("a"))
    loom.report(run, [report("a", found(NEW + b"/a"))])
    assert lying(loom, "a") == [("/media/new/a", "present", ["found"])]
    assert known(loom, NEW)[b"a"].settled
    assert loom.source("card").files == 1


@pytest.mark.parametrize(("old", "new"), [(b"/m", b"/m/m"), (b"/m/m", b"/m"), (b"/", b"/m"), (b"/m", b"/")])
def test_a_source_moves_below_and_above_itself(loom, old, new):
    places = [b"/a", b"/m/b", b"/m/m/c", b"/m/m/m/d"]
    names = [place[-1:].decode() for place in places]
    ingested(loom, *zip(names, places, strict=True))
    loom.save_source(source(path=old))
    below = {
        name: place for name, place in zip(names, places, strict=True) if place.startswith(old.rstrip(b"/") + b"/")
    }
    assert loom.move_source("card", new) == len(below)
    for name, place in zip(names, places, strict=True):
        if name in below:
            place = new.rstrip(b"/") + place[len(old.rstrip(b"/")) :]
        assert lying(loom, name) == [(place.decode(), "present", ["found"])]


def test_files_of_the_same_content_are_one(loom):
    """The disk was ingested at its new place before anybody said that it is the same."""
    ingested(loom, ("a", OLD + b"/x/a"), ("b", OLD + b"/x/b"), ("old", OLD + b"/x/old"))
    loom.save_source(source())
    loom.mark_unreachable(HOST, OLD)
    ingested(loom, ("a", NEW + b"/x/a"), ("new", NEW + b"/x/new"), ("deep", NEW + b"/x/y/deep"), inode=77)
    assert loom.move_source("card", NEW) == 1
    assert lying(loom, "a") == [("/media/new/x/a", "present", ["found"])]
    assert lying(loom, "b") == [("/media/new/x/b", "unreachable", ["found"])]
    assert lying(loom, "old") == [("/media/new/x/old", "unreachable", ["found"])]
    assert lying(loom, "new") == [("/media/new/x/new", "present", ["found"])]
    assert lying(loom, "deep") == [("/media/new/x/y/deep", "present", ["found"])]
    assert (known(loom, NEW + b"/x")[b"a"].inode, known(loom, NEW + b"/x")[b"a"].settled) == (77, True)


def test_files_that_were_taken_for_moved_or_gone_were_not(loom):
    run = ingested(loom, ("a", OLD + b"/a"), ("b", OLD + b"/b"), ("again", NEW + b"/again"), ("again", OLD + b"/again"))
    loom.save_source(source())
    loom.mark_missing(HOST, [(OLD, b"b"), (NEW, b"again")])
    loom.report(run, [report("a", found(NEW + b"/a"))])
    loom.mark_missing(HOST, [(OLD, b"a")])
    assert [changes for *_, changes in lying(loom, "a")] == [["found"], ["found", "moved"]]
    loom.move_source("card", NEW)
    assert lying(loom, "a") == [("/media/new/a", "present", ["found"])]
    assert lying(loom, "b") == [("/media/new/b", "missing", ["found", "gone"])]
    assert lying(loom, "again") == [("/media/new/again", "present", ["found", "gone", "returned"])]


def test_another_disk_at_the_place_of_one_that_is_away_keeps_its_files(loom):
    run = ingested(loom, ("a", OLD + b"/a"), ("b", OLD + b"/x/b"), ("mine", OLD + b"/1.jpg"), ("film", b"/film"))
    loom.save_source(source("seen", b"/seen"))
    loom.source_seen("seen", reachable=False)
    ingested(loom, ("seen", b"/seen/1"))
    loom.source_seen("seen", reachable=True)
    loom.source_seen("seen", reachable=False)
    loom.move_source("seen", b"/again")
    assert lying(loom, "seen") == [("/again/1", "present", ["found"])]
    for name, path in (("card", OLD), ("film", b"/film")):
        loom.save_source(source(name, path))
        loom.mark_unreachable(HOST, path)
        loom.source_seen(name, reachable=False)
    ingested(loom, ("other", OLD + b"/1.jpg"), ("new", OLD + b"/2.jpg"), ("deep", OLD + b"/y/deep"), ("film", b"/film"))
    for place in (b"/first/moved", OLD + b"/moved"):
        loom.report(run, [report("moved", found(place))])
    loom.mark_missing(HOST, [(b"/first", b"moved")])
    loom.source_seen("card", reachable=False)
    loom.move_source("card", NEW)
    loom.move_source("film", NEW + b"/film")
    assert lying(loom, "a") == [("/media/new/a", "unreachable", ["found"])]
    assert lying(loom, "b") == [("/media/new/x/b", "unreachable", ["found"])]
    assert lying(loom, "mine") == [("/media/new/1.jpg", "missing", ["found", "replaced"])]
    assert lying(loom, "other") == [("/media/old/1.jpg", "present", ["found"])]
    assert lying(loom, "new") == [("/media/old/2.jpg", "present", ["found"])]
    assert lying(loom, "deep") == [("/media/old/y/deep", "present", ["found"])]
    assert lying(loom, "film") == [("/film", "present", ["found"])]
    assert loom.known_directories(HOST, b"/media") == [NEW, NEW + b"/x", OLD, OLD + b"/y"]
    first, second = loom.asset_locations(asset_uuid(digest("moved")))
    assert (first.history[-1].path, second.path) == ("/media/old/moved", "/media/old/moved")
    loom.report(run, [report("mine", found(NEW + b"/1.jpg"))])
    assert lying(loom, "mine")[0][:2] == ("/media/new/1.jpg", "present")


@pytest.mark.parametrize("places", [(OLD, NEW), (NEW, OLD)])
def test_of_two_sights_of_a_file_the_later_is_believed(loom, places):
    loom.save_source(source())
    for inode, place in enumerate(places):
        ingested(loom, ("a", place + b"/a"), inode=inode)
    loom.move_source("card", NEW)
    assert known(loom, NEW)[b"a"].inode == 1
    assert lying(loom, "a") == [("/media/new/a", "present", ["found"])]


def test_what_was_moved_to_a_source_is_told_with_its_new_path(loom):
    run = ingested(loom, ("a", b"/first/a"), ("b", b"/first/b"), ("c", OLD + b"/c"))
    loom.save_source(source())
    loom.report(run, [report("a", found(OLD + b"/a")), report("b", found(NEW + b"/b"))])
    loom.mark_missing(HOST, [(b"/first", b"a"), (b"/first", b"b")])
    loom.move_source("card", NEW)
    for name in ("a", "b"):
        places = loom.asset_locations(asset_uuid(digest(name)))
        assert [(one.path, one.history[-1].change, one.history[-1].path) for one in places] == [
            (f"/first/{name}", "moved", f"/media/new/{name}"), (f"/media/new/{name}", "found", f"/media/new/{name}")
        ]  # fmt: skip


def test_another_file_at_the_new_path_gives_way(loom):
    ingested(loom, ("mine", OLD + b"/1.jpg"), ("gone", OLD + b"/2.jpg"), ("kept", OLD + b"/3.jpg"))
    ingested(loom, ("other", NEW + b"/1.jpg"), ("there", NEW + b"/2.jpg"), ("lost", NEW + b"/3.jpg"))
    loom.mark_missing(HOST, [(OLD, b"2.jpg"), (NEW, b"3.jpg")])
    loom.save_source(source())
    loom.move_source("card", NEW)
    assert lying(loom, "mine") == [("/media/new/1.jpg", "present", ["found"])]
    assert lying(loom, "other") == [("/media/new/1.jpg", "missing", ["found", "replaced"])]
    assert lying(loom, "gone") == [("/media/new/2.jpg", "missing", ["gone"])]
    assert lying(loom, "there") == [("/media/new/2.jpg", "present", ["found"])]
    assert lying(loom, "kept") == [("/media/new/3.jpg", "present", ["found"])]
    assert lying(loom, "lost") == [("/media/new/3.jpg", "missing", ["gone"])]
    assert loom.source("card").files == 3


def test_no_source_moves_to_where_another_lies(loom):
    for name, path in (("card", OLD), ("other", NEW), ("inner", OLD + b"/x"), ("taken", b"/free/x")):
        loom.save_source(source(name, path))
    ingested(loom, ("a", OLD + b"/x/a"))
    assert code_of(lambda: loom.move_source("card", NEW)) == "SOURCE_EXISTS"
    assert code_of(lambda: loom.move_source("card", b"/free")) == "SOURCE_EXISTS"
    assert lying(loom, "a") == [("/media/old/x/a", "present", ["found"])]
    assert [one.path for one in loom.sources()] == ["/media/old", "/media/old/x", "/media/new", "/free/x"]


def test_sources_below_a_moved_one_go_with_it(loom):
    ingested(loom, ("a", OLD + b"/x/a"))
    for name, path in (("card", OLD), ("inner", OLD + b"/x"), ("beside", OLD + b"er")):
        loom.save_source(source(name, path))
    loom.save_source(Source(name="there", host="there", path=OLD + b"/x"))
    loom.move_source("card", OLD + b"/x")
    paths = {one.name: (one.path, one.files) for one in loom.sources()}
    assert paths == {
        "card": ("/media/old/x", 1), "inner": ("/media/old/x/x", 1), "beside": ("/media/older", 0),
        "there": ("/media/old/x", 0),
    }  # fmt: skip


def test_a_source_may_be_a_file(loom):
    ingested(loom, ("a", OLD + b"/a.mkv"), ("b", OLD + b"/b"), ("c", NEW + b"/c"), ("d", b"/top"))
    loom.mark_missing(HOST, [(OLD, b"a.mkv")])
    ingested(loom, ("a", OLD + b"/a.mkv"))
    for name, path in (("film", OLD + b"/a.mkv"), ("top", b"/top"), ("unknown", b"/nothing/here")):
        loom.save_source(source(name, path))
    assert loom.move_source("film", NEW + b"/A.mkv") == 0
    assert lying(loom, "a") == [("/media/new/A.mkv", "present", ["found", "gone", "returned"])]
    assert [asset.uuid for asset in loom.assets(AssetQuery(q="a.mkv")).items] == [asset_uuid(digest("a"))]
    assert lying(loom, "b") == [("/media/old/b", "present", ["found"])]
    loom.move_source("film", NEW + b"/c")
    assert lying(loom, "c") == [("/media/new/c", "missing", ["found", "replaced"])]
    assert lying(loom, "a") == [("/media/new/c", "present", ["found", "gone", "returned"])]
    loom.move_source("top", b"/below/top")
    assert lying(loom, "d") == [("/below/top", "present", ["found"])]
    assert loom.move_source("unknown", b"/nothing/there") == 0
    assert (loom.source("film").files, loom.source("unknown").path) == (1, "/nothing/there")


def test_many_folders_move_at_once(loom):
    run = begin(loom)
    for place in (OLD, NEW):
        loom.report(run, [report(f"{n}", found(b"%s/%d/%d" % (place, n, n))) for n in range(1100)])
    loom.save_source(source())
    assert loom.move_source("card", NEW) == 1100
    assert len(loom.known_directories(HOST, b"/")) == 1100
    assert lying(loom, "1099") == [("/media/new/1099/1099", "present", ["found"])]
    assert loom.source("card").files == 1100
