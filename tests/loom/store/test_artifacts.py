from __future__ import annotations

import os
import signal
import stat

import pytest
from ledgers import artifact

from loom.errors import LoomError


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


def test_a_derived_file_lies_under_its_digest(loom, tmp_path):
    new, ref = artifact(b"tiny")
    loom.put_artifacts([new])
    name = ref.digest.hex()
    path = tmp_path / "blobs" / name[:2] / name
    assert path.read_bytes() == b"tiny"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files(tmp_path / "blobs") == [name]


def test_a_file_that_is_there_is_not_written_again_unless_it_is_cut_short(loom, tmp_path):
    new, ref = artifact(b"tiny")
    loom.put_artifacts([new])
    path = tmp_path / "blobs" / ref.digest.hex()[:2] / ref.digest.hex()
    inode = path.stat().st_ino
    loom.put_artifacts([new])
    assert path.stat().st_ino == inode
    path.write_bytes(b"ti")
    loom.put_artifacts([new])
    assert path.read_bytes() == b"tiny"


def test_more_files_than_one_group(loom, tmp_path):
    new = [artifact(b"%d" % n)[0] for n in range(150)]
    loom.put_artifacts(new)
    assert len(files(tmp_path / "blobs")) == 150
    assert all(loom.artifact(each.digest)[1] == each.data for each in new)


def test_leftovers_of_a_killed_writer_are_swept(loom, start, tmp_path, reopen):
    writer = start("""
loom = open_loom()
with loom._files.lock(alone=False):
    (folder / "blobs" / ".new" / "half").write_bytes(b"half a file")
    print("writing"); sys.stdin.readline()
""")
    assert writer.stdout.readline() == "writing\n"
    reopen()
    assert files(tmp_path / "blobs") == ["half"]
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    reopen()
    assert files(tmp_path / "blobs") == []


def test_a_full_disk_leaves_nothing_half_written(start, tmp_path, reopen):
    output, _ = start("""
loom = open_loom()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
try:
    loom.put_artifacts([artifact(b"fits")[0], artifact(b"x" * 200_000)[0]])
except LoomError as error:
    print(error.code)
""").communicate(timeout=60)
    assert output == "DISK_FULL\n"
    assert files(tmp_path / "blobs") == []
    with pytest.raises(LoomError):
        reopen().artifact(artifact(b"fits")[1].digest)


def test_a_folder_that_cannot_be_written(loom, tmp_path):
    (tmp_path / "blobs").write_bytes(b"no folder")
    with pytest.raises(LoomError) as refused:
        loom.put_artifacts([artifact(b"x")[0]])
    assert refused.value.code == "DATABASE_UNREACHABLE"


def test_a_row_without_its_file(loom, tmp_path):
    new, ref = artifact(b"tiny")
    loom.put_artifacts([new])
    (tmp_path / "blobs" / ref.digest.hex()[:2] / ref.digest.hex()).unlink()
    with pytest.raises(LoomError) as missing:
        loom.artifact(ref.digest)
    assert missing.value.code == "NOT_FOUND"


def test_a_rotten_file_is_repaired_when_its_bytes_come_again(loom, tmp_path):
    new, ref = artifact(b"whole")
    loom.put_artifacts([new])
    path = tmp_path / "blobs" / ref.digest.hex()[:2] / ref.digest.hex()
    path.write_bytes(b"WHOLE")
    loom.put_artifacts([new])
    assert loom.artifact(ref.digest)[1] == b"whole"
