from __future__ import annotations

import os
from uuid import uuid4

import pytest
from blake3 import blake3
from ledgers import HOST, artifact, begin, done, found, report

from loom.model import Action, FileStat


@pytest.fixture
def originals(loom, tmp_path):
    """Three real files that were ingested, and one derived file."""
    new, ref = artifact(b"derived")
    loom.put_artifacts([new])
    run = begin(loom)
    folder = tmp_path / "originals"
    folder.mkdir()
    paths = [folder / name for name in ("a", "b", "c")]
    for path in paths:
        path.write_bytes(path.name.encode() * 1000)
        s = path.stat()
        place = found(os.fsencode(path))._replace(stat=FileStat(s.st_size, s.st_mtime_ns, s.st_ino, s.st_dev))
        made = report("x", place, results=[done(1, artifacts=(ref,))])
        loom.report(run, [made._replace(blake3=blake3(path.read_bytes()).digest(), size=1000)])
    return paths, tmp_path / "blobs" / ref.digest.hex()[:2] / ref.digest.hex()


def test_all_is_well(loom, originals):
    verified = loom.verify(HOST, read_data=True)
    assert (verified.findings, verified.artifacts, verified.locations, verified.bytes_read) == ([], 1, 3, 3007)
    assert loom.verify("elsewhere", read_data=True).locations == 0
    assert loom.verify(HOST).bytes_read == 0


def test_a_flipped_bit_of_an_original(loom, originals):
    path = originals[0][0]
    times = path.stat()
    with path.open("r+b") as file:
        file.write(b"b")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert loom.verify(HOST).findings == []
    (finding,) = loom.verify(HOST, read_data=True).findings
    assert (finding.code, finding.subject) == ("BIT_ROT", str(path))


@pytest.mark.parametrize("read_data", [False, True])
def test_originals_that_changed_or_vanished(loom, originals, read_data):
    cut, vanished, written_to = originals[0]
    cut.write_bytes(b"something else")
    vanished.unlink()
    os.utime(written_to, ns=(1, 1))
    verified = loom.verify(HOST, read_data=read_data)
    assert [(found.code, found.subject) for found in verified.findings] == [
        ("ORIGINAL_CHANGED", str(cut)), ("ORIGINAL_MISSING", str(vanished))
    ]  # fmt: skip
    assert verified.findings[0].message == "The file has 14 bytes; it had 1000 when it was ingested."
    assert (verified.locations, verified.changed, verified.unreadable) == (3, 1, 0)
    assert loom.verify("elsewhere").findings == []


def test_what_is_known_to_be_missing_is_nothing_new(loom, originals):
    folder, name = os.path.split(os.fsencode(originals[0][0]))
    originals[0][0].unlink()
    loom.mark_missing(HOST, [(folder, name)])
    verified = loom.verify(HOST)
    assert (verified.findings, verified.locations) == ([], 2)


def test_a_folder_that_is_gone_is_told_once(loom, originals, tmp_path):
    (tmp_path / "originals").rename(tmp_path / "away")
    (finding,) = loom.verify(HOST).findings
    assert (finding.code, finding.subject) == ("ORIGINAL_MISSING", str(tmp_path / "originals"))
    assert finding.message == "The folder is gone, and 3 files with it."


def test_of_very_many_only_the_first_are_told(loom, tmp_path, monkeypatch):
    monkeypatch.setattr("loom.store.verify.MOST_TOLD", 2)
    run = begin(loom)
    loom.report(run, [report("x", *(found(os.fsencode(tmp_path / f"{n}")) for n in range(1500)))])
    verified = loom.verify(HOST)
    assert (len(verified.findings), verified.untold, verified.locations) == (2, 1498, 1500)


def test_derived_files_that_no_result_names_are_counted(loom, originals):
    other, _ = artifact(b"handed in, then its worker died")
    loom.put_artifacts([other])
    verified = loom.verify(HOST)
    assert (verified.unused, verified.unnamed, verified.findings) == (1, 0, [])


def test_damage_of_derived_files(loom, originals):
    path = originals[1]
    path.write_bytes(b"Derived")
    assert loom.verify(HOST).findings == []
    assert [f.code for f in loom.verify(HOST, read_data=True).findings] == ["ARTIFACT_DAMAGED"]
    path.write_bytes(b"deriv")
    assert [f.code for f in loom.verify(HOST).findings] == ["ARTIFACT_DAMAGED"]
    path.unlink()
    (finding,) = loom.verify(HOST).findings
    assert (finding.code, finding.subject) == ("ARTIFACT_MISSING", path.name)


def test_files_that_no_row_names_are_counted(loom, originals, tmp_path):
    stray = tmp_path / "blobs" / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"stray")
    verified = loom.verify(HOST)
    assert (verified.unnamed, verified.findings) == (1, [])


def test_rows_that_refer_to_nothing(loom, originals):
    with loom._database.write() as connection:
        connection.connection.driver_connection.execute("COMMIT")
        connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
        connection.connection.driver_connection.execute("BEGIN")
        connection.exec_driver_sql("DELETE FROM signatures")
    assert {f.code for f in loom.verify(HOST).findings} == {"DATABASE_DAMAGED"}


def test_each_finding_names_the_command_that_helps(loom, originals, tmp_path):
    rotten, changed, vanished = originals[0]
    times = rotten.stat()
    rotten.write_bytes(b"b" * 1000)
    os.utime(rotten, ns=(times.st_atime_ns, times.st_mtime_ns))
    changed.write_bytes(b"")
    vanished.unlink()
    originals[1].unlink()
    remedies = {found.code: found.remedy for found in loom.verify(HOST, read_data=True).findings}
    made_of = min(originals[0])
    assert remedies == {
        "ARTIFACT_MISSING": f"Make it anew: cortex ingest {made_of} --pipeline photos --recompute small",
        "ORIGINAL_CHANGED": f"If it was meant to change, take it up as it is: cortex ingest {changed}",
        "ORIGINAL_MISSING": (
            "If it was moved, cortex ingest WHERE-IT-IS; if it was deleted,"
            f" cortex ingest {tmp_path / 'originals'} --gone {vanished}"
        ),
        "BIT_ROT": (
            f"Put it back from a copy (cortex show {rotten} lists those that are known);"
            f" to take it as it is: cortex ingest {rotten} --rehash"
        ),
    }


def test_a_derived_file_of_another_machine_is_not_made_anew_here(loom, originals):
    originals[1].unlink()
    (finding,) = loom.verify("elsewhere").findings
    assert "loom prune" in finding.remedy


def test_what_was_begun_with_a_file_and_not_ended(loom, originals):
    path = os.fsencode(originals[0][0])
    run = begin(loom)
    ahead = Action(uuid4(), "moved", b"x" * 32, path, b"/aside/a", b"x" * 32, 1000, 1)
    loom.intend(run, [ahead])
    assert loom.verify(HOST).findings == []
    loom.end_abandoned_runs(HOST)
    (finding,) = loom.verify(HOST).findings
    assert (finding.code, finding.subject) == ("ACTION_INTERRUPTED", os.fsdecode(path))
    assert "/aside/a" in finding.message
    assert loom.verify("elsewhere").findings == []
