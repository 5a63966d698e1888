"""Stored sources whose disks are mounted here and there, against the memory of a real Loom.

A disk is a real folder: mounting it renames it to where it is mounted, and says so in a mount table.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from remembering import HOST, Remembering

from cortex.sources.known import Known
from cortex.sources.marker import Markers, set_mark
from cortex.sources.mounts import Mounts
from cortex.sources.placing import Where
from loom.errors import LoomError
from loom.sources import Source, SourceShape

NODES = {"one": ("/dev/null", "1:3"), "two": ("/dev/zero", "1:5")}


class Machine:
    """Two disks, `one` and `two`, each of which may be mounted somewhere below `media`."""

    def __init__(self, folder: Path, remembering: Remembering) -> None:
        self.top = folder.resolve() / "media"
        self.top.mkdir()
        self.loom = remembering.loom
        self._remembering = remembering
        self._folder = folder
        self._points: dict[str, str] = {}
        (folder / "by-uuid").mkdir()
        for disk, (node, _) in NODES.items():
            (folder / "by-uuid" / disk).symlink_to(node)
            (folder / disk).mkdir()
        self.tells_ids = True

    def path(self, relative: str) -> bytes:
        return os.fsencode(self.top / relative)

    def write(self, relative: str, content: bytes = b"") -> None:
        path = self.top / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content or relative.encode())
        os.utime(path, (1_600_000_000, 1_600_000_000))

    def mount(self, disk: str, point: str) -> None:
        place = self.top / point
        if place.exists():
            place.rmdir()
        place.parent.mkdir(parents=True, exist_ok=True)
        (self._folder / disk).rename(place)
        self._points[disk] = point

    def unmount(self, disk: str, *, keeps_point: bool = False) -> None:
        place = self.top / self._points.pop(disk)
        place.rename(self._folder / disk)
        if keeps_point:
            place.mkdir()

    @property
    def markers(self) -> Markers:
        table = self._folder / "mountinfo"
        lines = [f"9 1 {NODES[disk][1]} / {self.top}/{point} rw - ext4 x rw\n" for disk, point in self._points.items()]
        table.write_text("8 0 0:99 / / rw - overlay x rw\n" + "".join(lines))
        return Markers(Mounts(table, self._folder / ("by-uuid" if self.tells_ids else "nothing")))

    def add(self, name: str, relative: str) -> None:
        path = self.path(relative)
        self.loom.save_source(Source(name=name, host=HOST, path=path, marker=self.markers.of(path)))

    def source(self, name: str = "photos") -> SourceShape:
        return self.loom.source(name)

    def known(self, *, dry_run: bool = False) -> Known:
        return Known(self.loom, HOST, dry_run=dry_run, markers=self.markers)

    def ingest(self, *relative: str, dry_run: bool = False) -> tuple[Known, Any, list[bytes]]:
        """As an ingest of these paths does it: sees to the sources, then walks; what was found is settled."""
        roots = [self.path(one) for one in relative]
        known = self.known(dry_run=dry_run)
        known.near(roots)
        scan, found = self._remembering.scan(*roots, away=tuple(known.away.items()), reconcile=not dry_run)
        return known, scan, found

    def states(self, relative: str) -> dict[str, str]:
        return self._remembering.states(self.path(relative))


@pytest.fixture
def machine(tmp_path: Path, remembering: Remembering) -> Machine:
    """With disk `one` at `a`, on which lies the source `photos`, known to Loom with all its files."""
    machine = Machine(tmp_path, remembering)
    machine.mount("one", "a")
    machine.write("a/photos/1")
    machine.write("a/photos/deep/2")
    machine.write("a/other/3")
    machine.write("kept")
    machine.add("photos", "a/photos")
    assert len(machine.ingest("")[2]) == 4
    assert (machine.source().state, machine.source().files) == ("reachable", 2)
    return machine


@pytest.mark.parametrize("root", ["b/photos", "b/photos/deep", "b", ""])
def test_a_disk_at_another_mount_point_is_neither_a_move_nor_a_deletion(machine: Machine, root: str) -> None:
    machine.unmount("one")
    machine.mount("one", "b")
    known, scan, found = machine.ingest(root)
    former, now = machine.top / "a/photos", machine.top / "b/photos"
    assert known.notes == [f"photos lay at {former} and lies at {now} now"]
    assert (machine.source().path, machine.source().files) == (str(now), 2)
    assert (known.away, scan.missing if root else 0) == ({}, 0)
    assert not [path for path in found if b"photos" in path or path in (b"1", b"2", b"deep/2")]
    assert machine.states("b/photos/1") == {"1": "present"}
    with pytest.raises(LoomError):
        machine.states("a/photos/1")
    again = machine.ingest(root)
    assert (again[0].notes, again[2]) == ([], [])


@pytest.mark.parametrize("root", ["a/photos", "a/photos/deep", "a", ""])
@pytest.mark.parametrize("keeps_point", [True, False])
def test_files_of_a_disk_that_is_away_are_unreachable(machine: Machine, root: str, keeps_point: bool) -> None:
    machine.unmount("one", keeps_point=keeps_point)
    for _ in range(2):
        known, scan, _ = machine.ingest(root)
        assert known.away == {machine.path("a/photos"): "the source photos is not there"}
        assert machine.path("a/photos") in scan.unreachable
        assert machine.states("a/photos/1") == {"1": "unreachable"}
        assert machine.states("a/photos/deep/2") == {"2": "unreachable"}
        assert machine.source().state == "unreachable"
    if keeps_point:
        (machine.top / "a").rmdir()
    machine.mount("one", "a")
    known, scan, _ = machine.ingest("a/photos")
    assert (known.notes, scan.unreachable, scan.missing) == ([], [], 0)
    assert machine.states("a/photos/1") == {"1": "present"}
    assert machine.source().state == "reachable"


@pytest.mark.parametrize("root", ["a/photos", "a", ""])
def test_another_disk_at_the_same_place_is_new_and_the_former_unreachable(machine: Machine, root: str) -> None:
    machine.unmount("one")
    machine.mount("two", "a")
    machine.write("a/photos/4")
    known, scan, found = machine.ingest(root)
    why = "what lies there is on another disk than the source photos"
    assert known.away == {machine.path("a/photos"): why}
    assert scan.why_unreachable[machine.path("a/photos")] == why
    assert [path for path in found if path.endswith(b"4")]
    assert (machine.states("a/photos/1"), machine.states("a/photos/4")) == ({"1": "unreachable"}, {"4": "present"})
    again = machine.ingest(root)
    assert again[2] == [], "what lies there now is known"
    assert (machine.states("a/photos/1"), machine.states("a/photos/4")) == ({"1": "unreachable"}, {"4": "present"})
    machine.unmount("two")
    machine.mount("one", "a")
    known, scan, _ = machine.ingest("a/photos")
    assert (known.away, scan.missing) == ({}, 1)
    assert (machine.states("a/photos/1"), machine.states("a/photos/4")) == ({"1": "present"}, {"4": "missing"})


@pytest.mark.parametrize("root", ["a/photos", "a"])
def test_where_it_lies_is_said_even_if_that_is_not_asked_about(machine: Machine, root: str) -> None:
    machine.unmount("one")
    machine.mount("one", "b")
    machine.write("a/something else")
    known, _, _ = machine.ingest(root)
    assert machine.states("a/photos/1") == {"1": "unreachable"}
    assert known.away == {machine.path("a/photos"): f"the source photos lies at {machine.top}/b/photos now"}
    assert machine.source().path == str(machine.top / "a/photos")


def test_a_folder_that_is_deleted_from_a_disk_that_is_there_is_deleted(machine: Machine) -> None:
    for name in ("photos/deep/2", "photos/1"):
        (machine.top / "a" / name).unlink()
    (machine.top / "a/photos/deep").rmdir()
    (machine.top / "a/photos").rmdir()
    known, scan, _ = machine.ingest("a")
    assert (known.away, scan.missing) == ({}, 2)
    assert machine.states("a/photos/1") == {"1": "missing"}
    assert machine.source().state == "unreachable"


def test_a_dry_run_looks_and_tells_loom_nothing(machine: Machine) -> None:
    seen = machine.source()
    machine.unmount("one")
    known, _, _ = machine.ingest("a/photos", dry_run=True)
    assert list(known.away) == [machine.path("a/photos")]
    machine.mount("one", "b")
    known = machine.known(dry_run=True)
    (placed,) = known.near([machine.path("b/photos")])
    assert (placed.where, placed.path) == (Where.ELSEWHERE, machine.path("b/photos"))
    assert "a dry run does not remember it" in known.notes[0]
    assert machine.known(dry_run=True).named("photos").path == machine.path("b/photos")
    assert machine.source() == seen


def test_a_disk_that_is_seen_twice_has_not_moved(machine: Machine) -> None:
    (machine.top / "bind").symlink_to("a")
    known, _, found = machine.ingest("bind/photos")
    assert (known.notes, len(found)) == ([], 2)
    assert machine.source().path == str(machine.top / "a/photos")


def test_what_the_paths_have_nothing_to_do_with_is_left_alone(machine: Machine) -> None:
    seen = machine.source()
    machine.mount("two", "b")
    assert machine.known().near([machine.path("b"), machine.path("a/other")]) == []
    machine.unmount("one")
    assert machine.known().near([machine.path("b")]) == []
    assert machine.source() == seen


def test_a_link_to_a_disk_is_where_a_person_says_that_it_lies(machine: Machine) -> None:
    machine.unmount("one")
    machine.mount("one", "b")
    (machine.top / "mine").symlink_to("b/photos")
    known, _, found = machine.ingest("mine")
    assert (found, machine.source().path) == ([], str(machine.top / "mine"))
    assert len(known.notes) == 1


def test_where_no_ids_are_told_a_source_is_known_by_its_path(machine: Machine) -> None:
    machine.tells_ids = False
    machine.unmount("one")
    assert [placed.where for placed in machine.known().near([machine.path("a/photos")])] == [Where.GONE]
    assert machine.source().state == "unreachable"
    machine.mount("one", "a")
    assert [placed.where for placed in machine.known().near([machine.path("a/photos")])] == [Where.HERE]
    assert machine.source().state == "reachable"


def test_a_source_without_a_marker_that_shows_nothing_was_not_seen(machine: Machine) -> None:
    machine.write("plain/1")
    machine.add("plain", "plain")
    machine.ingest("plain")
    assert machine.source("plain").state == "reachable"
    (machine.top / "plain/1").unlink()
    for _ in range(2):
        known, scan, _ = machine.ingest("plain")
        assert (known.away, scan.unreachable) == ({}, [machine.path("plain")])
        assert machine.source("plain").state == "unreachable"
    machine.write("plain/2")
    machine.ingest("plain")
    assert machine.source("plain").state == "reachable"


@pytest.mark.parametrize("root", ["x/renamed", "x/renamed/deep", "x", ""])
def test_a_folder_with_a_mark_of_its_own_is_known_wherever_it_is_moved(machine: Machine, root: str) -> None:
    machine.write("x/marked/deep/1")
    machine.write("x/beside")
    set_mark(machine.path("x/marked"))
    machine.add("marked", "x/marked")
    machine.ingest("")
    (machine.top / "x/marked").rename(machine.top / "x/renamed")
    known, scan, found = machine.ingest(root)
    assert (len(known.notes), scan.missing, found) == (1, 0, [])
    moved = machine.source("marked").source()
    assert moved.path == machine.path("x/renamed")
    assert moved.marker is not None
    assert moved.marker.inside == machine.path("x/renamed")


def test_it_is_found_when_it_is_asked_for_by_its_name(machine: Machine) -> None:
    machine.write("x/marked/1")
    set_mark(machine.path("x/marked"))
    machine.add("marked", "x/marked")
    (machine.top / "x/marked").rename(machine.top / "x/renamed")
    assert machine.known().named("marked").path == machine.path("x/renamed")
    machine.unmount("one")
    machine.mount("one", "b")
    assert machine.known().named("photos").path == machine.path("b/photos")
    assert machine.source("photos").path == str(machine.top / "b/photos")
    machine.unmount("one")
    known = machine.known()
    assert known.named("photos").where is Where.AWAY
    assert known.away == {machine.path("b/photos"): "the source photos is not there"}
    assert machine.states("b/photos/1") == {"1": "unreachable"}


def test_a_folder_that_is_gone_is_away_when_it_is_asked_for_by_its_name(machine: Machine) -> None:
    (machine.top / "a/photos").rename(machine.top / "a/pictures")
    assert machine.known().named("photos").where is Where.AWAY
    assert machine.states("a/photos/1") == {"1": "unreachable"}


def test_a_mark_that_was_taken_away_is_said(machine: Machine) -> None:
    machine.write("x/1")
    set_mark(machine.path("x"))
    machine.add("marked", "x")
    (machine.top / "x/.loom-source").unlink()
    known, _, _ = machine.ingest("x")
    assert known.away == {machine.path("x"): "what lies there is not marked as the source marked"}


def test_one_of_another_machine_or_none_cannot_be_asked_for(machine: Machine) -> None:
    machine.loom.save_source(Source(name="far", host="elsewhere", path=b"/x"))
    with pytest.raises(LoomError, match="lies on elsewhere") as refused:
        machine.known().named("far")
    assert refused.value.code == "USAGE"
    with pytest.raises(LoomError) as refused:
        machine.known().named("none")
    assert refused.value.code == "NOT_FOUND"
    assert [placed.source.name for placed in machine.known().near([b"/"])] == ["photos"]


def test_where_another_source_lies_it_is_not_moved_to(machine: Machine) -> None:
    machine.unmount("one")
    machine.mount("one", "b")
    machine.add("second", "b/photos")
    known, _, _ = machine.ingest("")
    assert list(known.away) == [machine.path("a/photos")]
    assert known.notes == []
    assert (machine.source().state, machine.source("second").state) == ("unreachable", "reachable")


@pytest.fixture
def swapped(machine: Machine) -> Machine:
    """The disks `one` and `two`, each all of a source, with their mount points swapped after both were ingested."""
    machine.unmount("one")
    machine.mount("one", "m")
    machine.mount("two", "n")
    machine.write("n/4")
    machine.loom.remove_source("photos")
    machine.add("photos", "m")
    machine.add("scans", "n")
    machine.ingest("")
    machine.unmount("one")
    machine.unmount("two")
    machine.mount("one", "n")
    machine.mount("two", "m")
    return machine


@pytest.mark.parametrize("roots", [("m", "n"), ("m",), ("n",), ("n/photos",), ("",)])
def test_disks_that_swapped_their_mount_points_change_places(swapped: Machine, roots: tuple[str, ...]) -> None:
    known, scan, found = swapped.ingest(*roots)
    top = swapped.top
    assert sorted(known.notes) == [
        f"photos lay at {top}/m and lies at {top}/n now", f"scans lay at {top}/n and lies at {top}/m now"
    ]  # fmt: skip
    assert (known.away, scan.unreachable, scan.missing) == ({}, [], 0)
    assert [path for path in found if path.rpartition(b"/")[2] != b"kept"] == []
    assert (swapped.source("photos").path, swapped.source("scans").path) == (f"{top}/n", f"{top}/m")
    assert (swapped.states("n/photos/1"), swapped.states("m/4")) == ({"1": "present"}, {"4": "present"})
    assert swapped.ingest("m", "n")[0].notes == []


def test_each_of_them_is_found_by_its_name(swapped: Machine) -> None:
    known = swapped.known()
    assert known.named("scans").path == swapped.path("m")
    assert known.found(swapped.source("photos")).path == swapped.path("n")
    assert (len(known.notes), known.away) == (2, {})


def test_in_a_dry_run_nothing_changes_places(swapped: Machine) -> None:
    before = swapped.source("photos"), swapped.source("scans")
    known = swapped.known(dry_run=True)
    assert len(known.near([swapped.path("m"), swapped.path("n")])) == 2
    assert (len(known.notes), known.away) == (2, {})
    assert (swapped.source("photos"), swapped.source("scans")) == before


def test_a_source_makes_room_that_lies_elsewhere_itself(swapped: Machine) -> None:
    swapped.unmount("two")
    swapped.mount("two", "o")
    known, _, found = swapped.ingest("n", "o")
    assert (len(known.notes), known.away, found) == (2, {}, [])
    assert swapped.source("scans").path == str(swapped.top / "o")


def test_one_that_is_not_to_be_found_makes_none_and_all_stays_as_it_was(swapped: Machine) -> None:
    swapped.unmount("two")
    known, _, _ = swapped.ingest("n")
    assert sorted(known.away) == [swapped.path("m"), swapped.path("n")]
    paths = [swapped.source(name).path for name in ("photos", "scans")]
    assert paths == [str(swapped.top / "m"), str(swapped.top / "n")]


def test_one_that_was_left_on_its_way_is_found_like_any_other(swapped: Machine) -> None:
    swapped.loom.move_source("photos", b"/.loom-source-on-its-way/photos")
    known, _, found = swapped.ingest("m", "n")
    assert (len(known.notes), known.away, found) == (2, {}, [])
    assert swapped.source("photos").path == str(swapped.top / "n")
