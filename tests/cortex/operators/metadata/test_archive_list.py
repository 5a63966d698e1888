"""`archive.list` on archives that the standard library and others write, whole, sealed, damaged and hostile."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sandboxes import in_child

from cortex.engine import confine
from cortex.operators.metadata.archive_list import ArchiveList
from cortex.testing import OperatorRun, run_operator
from loom.errors import LoomError
from loom.model import State

CONTENT = {"letters/fox.txt": b"The quick brown fox\n" * 500, "dog.bin": os.urandom(3000), "löwe.txt": b"roar"}


def listed(path: Path, **options: Any) -> OperatorRun:
    return run_operator(ArchiveList(**options), path)


def members(run: OperatorRun) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.artifact("members").data.splitlines()]


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(LoomError) as caught:
        listed(path, **options)
    return caught.value.code


def a_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in CONTENT.items():
            made.writestr(zipfile.ZipInfo(name, (2024, 5, 17, 14, 3, 20)), data, zipfile.ZIP_DEFLATED)
    return path


def a_tar(mode: str) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        with tarfile.open(path, mode) as made:
            for name, data in CONTENT.items():
                made.addfile(_entry(name, data), io.BytesIO(data))
        return path

    return make


def _entry(name: str, data: bytes = b"", **more: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), 1715947400
    for key, value in more.items():
        setattr(info, key, value)
    return info


def a_7z(path: Path, password: str | None = None, *, names_too: bool = False) -> Path:
    py7zr = pytest.importorskip("py7zr")
    with py7zr.SevenZipFile(path, "w", password=password, header_encryption=names_too) as made:
        for name, data in CONTENT.items():
            made.writestr(data, name)
    return path


def a_rar(path: Path) -> Path:
    """RAR 5.0, its files stored as they are, by the format's technical note."""

    def number(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + number(value >> 7)

    def block(kind: int, flags: int, body: bytes, data: bytes = b"") -> bytes:
        head = number(kind) + number(flags) + (number(len(data)) if flags & 2 else b"") + body
        head = number(len(head)) + head
        return zlib.crc32(head).to_bytes(4, "little") + head + data

    out = b"Rar!\x1a\x07\x01\x00" + block(1, 0, number(0))
    for name, data in CONTENT.items():
        body = number(2 | 4) + number(len(data)) + number(0o644) + (1715947400).to_bytes(4, "little")
        body += zlib.crc32(data).to_bytes(4, "little") + number(0) + number(1) + number(len(name.encode()))
        out += block(2, 2, body + name.encode(), data)
    path.write_bytes(out + block(5, 0, number(0)))
    return path


MAKERS: dict[str, Callable[[Path], Path]] = {
    "zip": a_zip,
    "tar": a_tar("w"),
    "tar.gz": a_tar("w:gz"),
    "tar.bz2": a_tar("w:bz2"),
    "tar.xz": a_tar("w:xz"),
    "7z": a_7z,
    "rar": a_rar,
}


@pytest.mark.parametrize("sort", MAKERS)
def test_every_format(tmp_path: Path, sort: str) -> None:
    path = MAKERS[sort](tmp_path / "archive")
    found = listed(path)
    outputs = found.outputs
    assert {one["name"]: one["size"] for one in members(found)} == {name: len(data) for name, data in CONTENT.items()}
    assert (outputs["format"], outputs["files"], outputs["encrypted"], outputs["complete"]) == (sort, 3, False, True)
    assert outputs["unpacked_size"] == sum(map(len, CONTENT.values()))
    assert outputs["ratio"] == pytest.approx(outputs["unpacked_size"] / path.stat().st_size, abs=0.001)
    assert outputs["names"] == list(CONTENT)
    assert outputs["dangers"] == {}


@pytest.mark.parametrize(("sort", "modified"), [("zip", "2024-05-17T14:03:20"), ("tar", "2024-05-17T12:03:20+00:00"),
                                                ("rar", "2024-05-17T12:03:20+00:00")])  # fmt: skip
def test_times(tmp_path: Path, sort: str, modified: str) -> None:
    assert members(listed(MAKERS[sort](tmp_path / "archive")))[0]["modified"] == modified


def test_names_that_do_harm(tmp_path: Path) -> None:
    path = tmp_path / "archive.tar"
    with tarfile.open(path, "w") as made:
        made.addfile(_entry("../../etc/passwd"))
        made.addfile(_entry("/etc/shadow"))
        made.addfile(_entry("in/out", type=tarfile.SYMTYPE, linkname="../../secret"))
        made.addfile(_entry("in/near", type=tarfile.SYMTYPE, linkname="../near"))
        made.addfile(_entry("pipe", type=tarfile.FIFOTYPE))
        made.addfile(_entry("photo\u202egpj.exe"))
        made.addfile(_entry("two\nlines"))
        made.addfile(_entry("same"))
        made.addfile(_entry("same"))
        made.addfile(_entry("folder/NUL.txt"))
    found = listed(path)
    assert [tuple(one.get("dangers", ())) for one in members(found)] == [
        ("parent",), ("absolute",), ("link",), (), ("device",), ("direction",), ("control",), (), ("again",),
        ("device",),
    ]  # fmt: skip
    assert found.outputs["dangers"]["device"] == 2
    assert found.outputs["dangerous_names"][0] == "../../etc/passwd"
    assert found.outputs["links"] == 2


def test_long_lists_end(tmp_path: Path) -> None:
    found = listed(a_zip(tmp_path / "archive.zip"), max_members=2)
    assert (found.outputs["complete"], found.outputs["files"], len(members(found))) == (False, 2, 2)


def test_encrypted_files(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "archive.zip")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    found = listed(path)
    assert found.outputs["encrypted"] is True
    assert [one.get("encrypted", False) for one in members(found)] == [True, False, False]
    assert listed(a_7z(tmp_path / "archive.7z", "fox")).outputs["encrypted"] is True
    assert refused(a_7z(tmp_path / "sealed.7z", "fox", names_too=True)) == "FILE_ENCRYPTED"


@pytest.mark.parametrize(
    ("sort", "code"),
    [("zip", "FILE_DAMAGED"), ("tar", "FILE_TRUNCATED"), ("tar.gz", "FILE_TRUNCATED"),
     ("tar.xz", "FILE_TRUNCATED"), ("7z", "FILE_DAMAGED")],
)  # fmt: skip
def test_archives_that_end_early(tmp_path: Path, sort: str, code: str) -> None:
    path = MAKERS[sort](tmp_path / "archive")
    data = path.read_bytes()
    path.write_bytes(data[: 6000 if sort == "tar" else len(data) * 2 // 3])
    assert refused(path) == code


def test_a_tar_that_unpacks_to_much(tmp_path: Path) -> None:
    path = tmp_path / "archive.tar.gz"
    with tarfile.open(path, "w:gz") as made:
        made.addfile(_entry("zeros", bytes(4 << 20)), io.BytesIO(bytes(4 << 20)))
    assert refused(path, max_unpacked="2MB") == "FILE_TOO_LARGE"
    assert listed(path, max_unpacked="8MB").outputs["ratio"] > 100


def test_what_is_no_archive(tmp_path: Path, real_image: Path) -> None:
    alone = tmp_path / "fox.txt.gz"
    alone.write_bytes(gzip.compress(CONTENT["letters/fox.txt"]))
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(CONTENT["dog.bin"])[:200])
    for path in (alone, broken, real_image):
        assert listed(path).state is State.SKIPPED


def test_all_of_it_within_the_sandbox(tmp_path: Path) -> None:
    """Without writing, sockets and programs."""
    paths = [MAKERS[sort](tmp_path / sort) for sort in MAKERS]

    def list_all() -> bool:
        confine.refuse_calls()
        return all(listed(path).outputs["files"] == 3 for path in paths)

    assert in_child(list_all) == 0
