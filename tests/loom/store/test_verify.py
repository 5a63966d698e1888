from __future__ import annotations

import os

import pytest
from blake3 import blake3
from ledgers import HOST, artifact, begin, done, found, report

from loom.model import FileStat


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


def test_changed_and_vanished_originals_are_no_damage(loom, originals):
    changed, vanished, _ = originals[0]
    changed.write_bytes(b"something else")
    vanished.unlink()
    verified = loom.verify(HOST, read_data=True)
    assert (verified.findings, verified.changed, verified.unreadable) == ([], 1, 1)


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
