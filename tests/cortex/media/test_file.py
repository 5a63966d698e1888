from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from cortex.media.file import KEEP_LIMIT, OpenFile
from loom.errors import LoomError


def _code(path: Path) -> str:
    with pytest.raises(LoomError) as caught:
        OpenFile(os.fsencode(path))
    return caught.value.code


def test_what_is_not_a_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(__file__)
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(tmp_path)
        listener.bind("socket")
        assert _code(tmp_path / "socket") == "NOT_A_REGULAR_FILE"
    assert _code(tmp_path / "pipe") == "NOT_A_REGULAR_FILE"
    assert _code(tmp_path / "link") == "NOT_A_REGULAR_FILE"
    assert _code(tmp_path) == "NOT_A_REGULAR_FILE"
    assert _code(Path("/dev/zero")) == "NOT_A_REGULAR_FILE"


def test_it_counts_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    file = OpenFile(os.fsencode(path))
    assert (file.read_at(10, 90), file.bytes_read) == (b"x" * 90, 90)
    file.kept()
    file.kept()
    assert file.bytes_read == 90 + 1000
    os.truncate(path, KEEP_LIMIT + 1)
    file.close()
    large = OpenFile(os.fsencode(path))
    with large.handle() as handle:
        large.close()
        handle.read(10)
    assert 10 <= large.bytes_read < KEEP_LIMIT
    large = OpenFile(os.fsencode(path))
    large.feed([])
    assert large.bytes_read == KEEP_LIMIT + 1
    large.close()


def test_a_vanished_file_and_one_without_a_possible_name(tmp_path: Path) -> None:
    assert _code(tmp_path / "gone") == "FILE_VANISHED"
    assert _code(tmp_path / "zero\0byte") == "FILE_VANISHED"
    assert _code(tmp_path / ("x" * 300)) == "FILE_UNREADABLE"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0)
    assert _code(path) == "FILE_UNREADABLE"


def test_refused_files_leave_no_descriptor_open(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        assert _code(tmp_path) == "NOT_A_REGULAR_FILE"
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("extra", [0, 1])
def test_handles_have_positions_of_their_own(tmp_path: Path, extra: int) -> None:
    """Below and above the limit for keeping a file in memory."""
    path = tmp_path / "file"
    with path.open("wb") as out:
        out.write(b"0123456789")
        out.truncate(KEEP_LIMIT + extra)
    file = OpenFile(os.fsencode(path))
    one, two = file.handle(), file.handle()
    assert one.read(4) == b"0123"
    assert two.read(2) == b"01"
    assert one.read(2) == b"45"
    assert one.seek(-4, os.SEEK_END) == file.size - 4
    assert one.read() == b"\0" * 4
    assert file.read_at(8, 4) == b"89\0\0"
    file.close()
    assert two.read(2) == b"23"
    one.close()
    two.close()


def test_a_handle_cannot_go_before_the_start(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as out:
        out.truncate(KEEP_LIMIT + 1)
    file = OpenFile(os.fsencode(path))
    with file.handle() as handle, pytest.raises(OSError, match="before the start"):
        handle.seek(-1)
    file.close()


@pytest.mark.parametrize("size", [10, KEEP_LIMIT + 5])
@pytest.mark.parametrize("change", ["grow", "cut", "rewrite", "touch"])
def test_every_change_after_opening_is_noticed(tmp_path: Path, size: int, change: str) -> None:
    path = tmp_path / "file"
    with path.open("wb") as out:
        out.truncate(size)
    file = OpenFile(os.fsencode(path))
    assert not file.changed()
    if change == "touch":
        os.utime(path, ns=(1, 1))
    else:
        with path.open("r+b") as out:
            out.truncate(size + 1) if change == "grow" else out.truncate(size - 1) if change == "cut" else out.write(
                b"x"
            )
    assert file.changed()
    file.close()


def test_a_file_cut_while_it_is_read_gives_what_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    file = OpenFile(os.fsencode(path))
    os.truncate(path, 40)
    seen: list[int] = []
    file.feed([lambda piece: seen.append(len(piece))])
    assert sum(seen) == 40
    assert file.changed()
    file.close()
