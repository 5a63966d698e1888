from __future__ import annotations

import os
import shutil
from uuid import uuid4

import pytest
from ingests import HOST, carry_out, definition

from cortex.actions.undoing import undo
from loom.actions import ActionEnd
from loom.model import Action


def undone(archive, **asked):
    """What could not be undone, the last first."""
    actions = archive.loom.actions(**asked).items[::-1]
    return [undo(archive.loom, HOST, action).why for action in actions]


def states(archive):
    return [one.state for one in archive.loom.actions().items]


def run_of(archive, operator, **config):
    node = {"id": "act", "operator": operator, "config": config}
    sums = {"id": "sum", "operator": "hash.md5"}
    return carry_out(archive.loom, archive.photo.parent, definition("acts", sums, node))


both_disks = pytest.mark.parametrize("to", ["this disk", "another disk"], indirect=True)


@both_disks
def test_what_was_put_aside_comes_back_as_it_was(archive, files):
    archive.ingest()
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (archive.photo, archive.copy)}
    group = archive.exact()
    archive.apply(group)
    assert undone(archive, duplicate=group.uuid) == [None]
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before
    assert files(archive.to) == []
    assert states(archive) == ["UNDONE"]
    assert undone(archive) == ["it was undone already"]
    again = archive.ingest()
    assert (again.summary["assets"]["unchanged"], again.nodes("sum")) == (3, {})
    assert len(archive.apply(group)) == 1


def test_a_dry_run_only_says_it(archive, files):
    archive.apply(archive.exact())
    (action,) = archive.loom.actions().items
    before = files(archive.to)
    told = undo(archive.loom, HOST, action, dry_run=True)
    assert (told.why, told.did) == (None, f"{archive.aside(archive.photo)} goes back to {archive.photo}")
    assert (files(archive.to), states(archive)) == (before, ["DONE"])


@pytest.mark.parametrize(
    ("happened", "why"),
    [
        (lambda archive: archive.photo.write_bytes(b"new"), "something else is at"),
        (lambda archive: archive.aside(archive.photo).unlink(), "is not there any more"),
        (lambda archive: archive.aside(archive.photo).write_bytes(b"new"), "is another one now"),
        (lambda archive: archive.photo.parent.rename(archive.photo.parent.with_name("gone")), "is not there"),
    ],
)
def test_what_cannot_come_back(archive, happened, why):
    archive.apply(archive.exact())
    happened(archive)
    (told,) = undone(archive)
    assert why in told
    assert states(archive) == ["DONE"]


@both_disks
def test_what_somebody_brought_back_is_undone(archive):
    archive.apply(archive.exact())
    shutil.copy2(archive.aside(archive.photo), archive.photo)
    assert undone(archive) == [None]
    assert (archive.photo.exists(), archive.aside(archive.photo).exists()) == (True, False)


def test_other_machines_undo_what_was_done_there(archive):
    archive.apply(archive.exact())
    (action,) = archive.loom.actions().items
    told = undo(archive.loom, "elsewhere", action)
    assert told.why == f"it was done on {HOST}, where it can be undone"


@both_disks
def test_of_a_run_moved_files_come_back(archive, files):
    before = files(archive.photo.parent)
    story = run_of(archive, "sink.move", to=str(archive.to), conflict="rename", confirm=True)
    run = archive.loom.runs(limit=1).items[0].uuid
    assert story.nodes("act") == {"computed": 2}
    assert [one.kind for one in archive.loom.actions(run=run).items] == ["moved", "moved"]
    assert undone(archive, run=run) == [None, None]
    assert (files(archive.photo.parent), files(archive.to)) == (before, [])


def test_a_dry_run_of_a_sink_is_no_action(archive):
    node = {"id": "act", "operator": "sink.copy", "config": {"to": str(archive.to)}}
    carry_out(archive.loom, archive.photo.parent, definition("acts", node), dry_run=True)
    assert archive.loom.actions().items == []


def test_of_a_run_copies_go_unless_they_are_all_that_is_left(archive, files):
    run_of(archive, "sink.copy", to=str(archive.to), template="{blake3:8}-{name}")
    assert len(files(archive.to)) == len(states(archive)) == 2
    archive.small.unlink()
    whys = undone(archive)
    assert sorted(why is None for why in whys) == [False, True]
    assert next(why for why in whys if why).startswith(f"its original is not at {archive.small}")
    assert [name.endswith("small.jpg") for name in files(archive.to)] == [True]


def test_of_a_run_copies_of_derived_files_go_though_no_original_is_like_them(archive, files):
    thumbnail = {"id": "small", "operator": "media.thumbnail", "config": {"size": 64}}
    copy = {"id": "act", "operator": "sink.copy", "config": {"to": str(archive.to)}}
    graph = definition("acts", thumbnail, copy)
    graph["graph"]["edges"][-1]["to"]["port"] = "file"
    carry_out(archive.loom, archive.photo.parent, graph)
    assert len(files(archive.to)) == 2
    archive.small.unlink()
    assert undone(archive) == [None, None]
    assert files(archive.to) == []


def test_of_a_run_side_files_go_unless_they_were_changed(archive, files):
    run_of(archive, "sink.sidecar", values={"title": "sum.md5"}, to=str(archive.to))
    first = min(archive.to.iterdir())
    first.write_text("mine")
    assert set(undone(archive)) == {None, f"{first} is another one now"}
    assert files(archive.to) == [first.name]
    first.unlink()
    assert undone(archive, state="DONE") == [None]


def test_what_was_removed_for_its_twin_is_copied_back(archive):
    shutil.copy2(archive.small, archive.to / "small.jpg")
    run_of(archive, "sink.move", to=str(archive.to), conflict="rename", confirm=True)
    kinds = {os.path.basename(one.origin): one.kind for one in archive.loom.actions().items}
    assert kinds["small.jpg"] == "removed"
    assert set(undone(archive)) == {None}
    assert archive.small.read_bytes() == (archive.to / "small.jpg").read_bytes()


def test_of_what_had_failed_there_is_nothing_to_undo(archive):
    archive.apply(archive.exact())
    (action,) = archive.loom.actions().items
    digest = bytes.fromhex(action.digest)
    begun = Action(uuid4(), "moved", digest, action.origin_path, b"/nowhere", digest, action.size, 1)
    archive.loom.begin_action(HOST, begun)
    other = archive.loom.actions(state="BEGUN").items[0]
    assert undo(archive.loom, HOST, other).why.startswith("it was interrupted")
    archive.loom.end_action(other.uuid, ActionEnd(state="FAILED"))
    assert undo(archive.loom, HOST, archive.loom.action(other.uuid)).why == "nothing had come of it"
