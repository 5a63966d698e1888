"""A process that moves files is killed at any moment."""

from __future__ import annotations

import os
import shutil

import pytest
from ingests import HOST

from cortex.actions import applying
from cortex.actions.alone import acting_alone
from cortex.actions.resolving import INTERRUPTED, resolve
from loom.errors import LoomError


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
