"""A process that moves files is killed at any moment."""

from __future__ import annotations

import os
import shutil
from types import SimpleNamespace
from uuid import uuid4

import pytest
from ingests import HOST, definition
from ledgers import opening

from cortex.actions import applying
from cortex.actions.alone import acting_alone
from cortex.actions.resolving import INTERRUPTED, resolve, resolve_dead
from cortex.engine.entry import Entry
from cortex.engine.intentions import DOING, Intentions
from cortex.operators.sinks.sidecar import part_of
from loom.errors import LoomError
from loom.model import Action

SUMS = definition("sums", {"id": "sum", "operator": "hash.md5"})


class Killed(BaseException):
    pass


def killed(archive, monkeypatch, *, before=False):
    """Applies a group as far as the move, or only what is written down before."""
    move = applying.move

    def move_and_die(*arguments):
        if not before:
            move(*arguments)
        raise Killed

    monkeypatch.setattr(applying, "move", move_and_die)
    with pytest.raises(Killed):
        archive.apply(archive.exact())
    monkeypatch.setattr(applying, "move", move)
    (action,) = archive.loom.actions(host=HOST, state="BEGUN").items
    return action


def resolved(archive, action):
    resolve(archive.loom, [action])
    told = archive.loom.action(action.uuid)
    return told.state, told.why


def test_what_had_happened_is_done(archive, monkeypatch):
    action = killed(archive, monkeypatch)
    assert resolved(archive, action) == ("DONE", None)
    assert (archive.photo.exists(), archive.aside(archive.photo).exists()) == (False, True)
    places = {place.path: str(place.state) for place in archive.loom.asset_locations(action.asset)}
    assert (places[str(archive.photo)], places[str(archive.aside(archive.photo))]) == ("missing", "present")


def test_what_had_not_begun_has_not_happened(archive, monkeypatch):
    action = killed(archive, monkeypatch, before=True)
    assert resolved(archive, action) == ("FAILED", INTERRUPTED)
    assert archive.photo.exists()


@pytest.mark.parametrize("how", ["linked", "copied"])
def test_what_was_half_done_is_taken_back(archive, monkeypatch, how):
    action = killed(archive, monkeypatch)
    aside = archive.aside(archive.photo)
    if how == "copied":
        shutil.copy2(aside, archive.photo)
    else:
        os.link(aside, archive.photo)
    assert resolved(archive, action) == ("FAILED", INTERRUPTED)
    assert (archive.photo.exists(), aside.exists()) == (True, False)


def test_what_a_copy_left_behind_goes(archive, monkeypatch, files):
    action = killed(archive, monkeypatch, before=True)
    aside = archive.aside(archive.photo)
    aside.parent.mkdir(parents=True, exist_ok=True)
    (aside.parent / f".{action.digest[:32]}.part").write_bytes(b"half")
    assert resolved(archive, action)[0] == "FAILED"
    assert files(archive.to) == []


def test_somebody_elses_file_at_the_target_stays(archive, monkeypatch):
    action = killed(archive, monkeypatch, before=True)
    aside = archive.aside(archive.photo)
    aside.parent.mkdir(parents=True, exist_ok=True)
    aside.write_bytes(b"mine")
    assert resolved(archive, action) == ("FAILED", INTERRUPTED)
    assert aside.read_bytes() == b"mine"


def test_only_one_moves_files_at_a_time(tmp_path):
    with acting_alone(tmp_path / "new"), pytest.raises(LoomError) as refused, acting_alone(tmp_path / "new"):
        raise AssertionError
    assert refused.value.code == "TRY_AGAIN"
    with acting_alone(tmp_path / "new"):
        pass


def ahead(archive, kind, origin, target):
    """A run has told that it is about to do this."""
    run = opening("sums", 0, definition=SUMS, host=HOST)
    archive.loom.open_run(run)
    digest = archive.blake3(archive.photo)
    action = Action(uuid4(), kind, digest, bytes(origin), bytes(target), digest, origin.stat().st_size, 1)
    archive.loom.intend(run.uuid, [action])
    return archive.loom.action(action.uuid)


@pytest.mark.parametrize(("kind", "state"), [("copied", "DONE"), ("removed", "FAILED")])
def test_a_file_that_lies_at_both_places_stays(archive, kind, state):
    """A copy that was made is one; and what lay at the target before is not taken away because the original stayed."""
    action = ahead(archive, kind, archive.photo, archive.copy)
    assert resolved(archive, action)[0] == state
    assert archive.photo.exists()
    assert archive.copy.exists()


def test_a_removed_file_is_removed(archive):
    action = ahead(archive, "removed", archive.photo, archive.copy)
    archive.photo.unlink()
    assert resolved(archive, action) == ("DONE", None)


def test_a_side_file_that_was_half_written_goes(archive, files):
    action = ahead(archive, "wrote", archive.photo, archive.to / "rocket.jpg.xmp")
    (archive.to / part_of("rocket.jpg.xmp")).write_bytes(b"half")
    assert resolved(archive, action) == ("FAILED", INTERRUPTED)
    assert files(archive.to) == []


def test_a_run_that_goes_on_is_left_alone(archive, tmp_path):
    action = ahead(archive, "copied", archive.photo, archive.copy)
    begun = archive.loom.actions(host=HOST, state="BEGUN").items
    assert resolve_dead(archive.loom, begun, tmp_path) == 0
    intentions = Intentions(doing=tmp_path / DOING)
    run = SimpleNamespace(uuid=action.run)
    intentions.intend(run, Entry(0, None), Action(uuid4(), "copied", b"", b"", b"", b"", 0, 0))
    assert resolve_dead(archive.loom, begun, tmp_path) == 0
    archive.loom.end_abandoned_runs(HOST)
    assert resolve_dead(archive.loom, begun, tmp_path) == 0
    intentions.close()
    assert resolve_dead(archive.loom, begun, tmp_path) == 1
    assert archive.loom.action(action.uuid).state == "DONE"
