"""Broken, lying, hostile and odd files cost nobody but themselves."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

Cortex = Callable[..., Any]


def png(width: int, height: int, data: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def test_every_bad_file_has_its_code_and_the_good_ones_are_done(cortex: Cortex, library: Path) -> None:
    (library / "bomb.png").write_bytes(png(60_000, 60_000, b"\0" * 1000))
    (library / "empty.jpg").write_bytes(b"")
    (library / "lying.jpg").write_bytes(b"<html><body>not a picture</body></html>")
    (library / "playlist.mp4").write_bytes(b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n")
    os.mkfifo(library / "pipe.mp4")
    (library / "loop").symlink_to(library)
    done = cortex("ingest", library, "--json")
    assert done.code == 3, done.err
    failures = {Path(line["path"]).name: line["code"] for line in done.of("failure")}
    assert failures["bomb.png"] == "FILE_TOO_LARGE"
    assert set(failures) <= {"bomb.png", "broken.jpg", "empty.jpg", "playlist.mp4"}
    assert done.summary["assets"]["seen"] == 10
    assert done.summary["nodes"]["sha256"]["computed"] == 9
    assert "text/html" in cortex("show", library / "lying.jpg").out


def test_names_are_bytes(cortex: Cortex, library: Path) -> None:
    names = [
        b"line\nbreak.txt",
        b"caf\xe9.txt",
        b"-rf.txt",
        b"'quote\".txt",
        b"n" * 251 + b".txt",
        "e\u0301.txt".encode(),
    ]
    for number, name in enumerate(names):
        (library / os.fsdecode(name)).write_text(f"content {number}")
        os.utime(library / os.fsdecode(name), (1_700_000_000, 1_700_000_000))
    done = cortex("ingest", library, "--json")
    assert done.summary["assets"]["new"] == 5 + len(names), done.err
    assert cortex("ingest", library, "--json").summary["assets"]["unchanged"] == 6 + len(names)
    assert cortex("show", library / os.fsdecode(b"caf\xe9.txt")).code == 0


def test_a_folder_that_may_not_be_read_is_said_and_the_rest_is_done(cortex: Cortex, library: Path) -> None:
    done = cortex("ingest", library, library / "not there", "--json")
    assert done.code == 4
    assert done.summary["assets"]["seen"] == 6


def test_hidden_files_litter_and_ignored_ones_are_left_alone(cortex: Cortex, library: Path) -> None:
    (library / ".hidden.txt").write_text("hidden")
    (library / "Thumbs.db").write_bytes(b"litter")
    (library / ".loomignore").write_text("*.txt\n!words.txt\n")
    (library / "ignored.txt").write_text("ignored")
    assert cortex("ingest", library, "--json").summary["assets"]["seen"] == 6
    assert cortex("ingest", library, "--hidden", "--json").summary["assets"]["seen"] >= 7
    only = cortex("ingest", library, "--include", "*.png", "--rehash", "--json").summary
    assert only["assets"]["seen"] == 1


def test_limit_and_lists(cortex: Cortex, library: Path) -> None:
    assert cortex("ingest", library, "--limit", "2", "--json").summary["assets"]["seen"] == 2
    names = f"{library / 'two.png'}\n{library / 'words.txt'}\n"
    listed = cortex("ingest", "--files-from", "-", "--json", stdin=names)
    assert listed.summary["assets"]["seen"] == 2, listed.err
