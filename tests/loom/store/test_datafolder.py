from __future__ import annotations

import os
import pickle
import signal
import stat

import pytest

from loom.errors import LoomError
from loom.store.datafolder import DataFolder, DataFolderLocked, Holder, holder_of, read_token


def test_the_folder_is_for_this_user_alone(tmp_path):
    with DataFolder.open(tmp_path / "a" / "loom") as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert folder.database_url == f"sqlite:///{tmp_path}/a/loom/loom.db"
        assert holder_of(folder.path) == Holder(os.getpid(), None)


def test_a_second_process_is_told_who_holds_it_and_where_it_serves(tmp_path, start):
    other = start("""
from loom.store.datafolder import DataFolder
data = DataFolder.open(folder / "data")
print(os.getpid()); sys.stdin.readline()
data.set_address("127.0.0.1:8092")
print("serves"); sys.stdin.readline()
""")
    pid = int(other.stdout.readline())
    with pytest.raises(DataFolderLocked, match=f"process {pid}\\.") as held:
        DataFolder.open(tmp_path / "data")
    assert (held.value.code, held.value.exit_code, held.value.address) == ("DATA_FOLDER_LOCKED", 6, None)
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "serves\n"
    with pytest.raises(DataFolderLocked, match=r"127\.0\.0\.1:8092") as held:
        DataFolder.open(tmp_path / "data")
    assert held.value.address == "127.0.0.1:8092"
    assert pickle.loads(pickle.dumps(held.value)).address == "127.0.0.1:8092"
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    with DataFolder.open(tmp_path / "data"):
        assert holder_of(tmp_path / "data").pid == os.getpid()
    assert holder_of(tmp_path / "data") == Holder(None, None)
    assert holder_of(tmp_path / "none") == Holder(None, None)


def test_the_token_is_made_once(tmp_path):
    assert read_token(tmp_path / "data") is None
    with DataFolder.open(tmp_path / "data") as folder:
        token = folder.token()
        assert len(token) >= 32
        assert stat.S_IMODE((folder.path / "token").stat().st_mode) == 0o600
        assert folder.token() == token == read_token(folder.path)
    with DataFolder.open(tmp_path / "data") as folder:
        assert folder.token() == token
        assert sorted(path.name for path in folder.path.iterdir()) == ["lock", "token"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LoomError) as refused:
        DataFolder.open(tmp_path / "file" / "data")
    assert refused.value.code == "DATABASE_UNREACHABLE"
