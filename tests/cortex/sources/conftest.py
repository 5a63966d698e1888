"""A folder to be scanned, a Loom that only remembers files, a real one, and a scan that tells what it found."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from remembering import Remembering, remembering_in

from cortex.sources.found import Found, ScanOptions
from cortex.sources.scan import Scan
from loom.model import KnownFile


class MemoryLedger:
    """Remembers files as Loom does: a file that is missing or cannot be reached is not settled, but the latter is when
    it is there again."""

    def __init__(self) -> None:
        self.directories: dict[bytes, dict[bytes, KnownFile]] = {}
        self.asked: list[bytes] = []
        self.missing: list[bytes] = []
        self.unreachable: list[bytes] = []
        self.returned: list[list[bytes]] = []

    def settle(self, found: Found, *, settled: bool = True) -> None:
        stat = found.stat
        asset = None if settled else b"a" * 32
        known = KnownFile(found.name, stat.size, stat.mtime_ns, stat.inode, stat.device, True, settled, asset)
        self.directories.setdefault(found.directory, {})[found.name] = known

    def known_files(self, host: str, directories: Sequence[bytes], plan: bytes) -> list[list[KnownFile]]:
        self.asked.extend(directories)
        return [list(self.directories.get(directory, {}).values()) for directory in directories]

    def known_directories(self, host: str, root: bytes) -> list[bytes]:
        return sorted(
            directory
            for directory, files in self.directories.items()
            if (directory == root or directory.startswith(root.rstrip(b"/") + b"/"))
            and any(file.present for file in files.values())
        )

    def mark_missing(self, host: str, files: Sequence[tuple[bytes, bytes]]) -> int:
        for directory, name in files:
            self.missing.append(os.path.join(directory, name))
            self._unsettle(directory, name, present=False)
        return len(files)

    def mark_unreachable(self, host: str, root: bytes, device: int | None = None) -> int:
        self.unreachable.append(root)
        for directory in self.known_directories(host, root):
            for name, file in self.directories[directory].items():
                if device is None or file.device == device:
                    self._unsettle(directory, name, present=file.present)
        return 0

    def _unsettle(self, directory: bytes, name: bytes, *, present: bool) -> None:
        known = self.directories[directory][name]
        away = present and (known.settled or known.away)
        unsettled = known._replace(present=present, settled=False, asset=b"a" * 32, away=away)
        self.directories[directory][name] = unsettled

    def mark_present(self, host: str, files: Sequence[tuple[bytes, bytes]], device: int) -> int:
        self.returned.append([os.path.join(*file) for file in files])
        for directory, name in files:
            known = self.directories[directory][name]
            self.directories[directory][name] = known._replace(settled=True, away=False, device=device)
        return len(files)


class Folder(NamedTuple):
    """A folder with helpers to fill it."""

    path: bytes

    def __truediv__(self, relative: str | bytes) -> bytes:
        return os.path.join(self.path, os.fsencode(relative))

    def write(self, relative: str | bytes, content: bytes = b"content") -> bytes:
        path = self / relative
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        return path


class Scanned(NamedTuple):
    """An ended scan with what it found."""

    scan: Scan
    found: list[Found]

    @property
    def names(self) -> list[bytes]:
        return [found.relative for found in self.found]


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "folder"
    path.mkdir()
    return Folder(os.fsencode(path))


@pytest.fixture
def open_folder() -> Iterator[Folder]:
    """A folder that other users may enter."""
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o755)
        yield Folder(os.fsencode(path))


@contextmanager
def _nobody() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def as_nobody() -> Callable[[], AbstractContextManager[None]]:
    """A context in which modes keep even the root user out: it is nobody then."""
    return _nobody


@pytest.fixture
def remembering(tmp_path: Path) -> Iterator[Remembering]:
    with remembering_in(tmp_path) as remembering:
        yield remembering


@pytest.fixture
def scan(ledger: MemoryLedger) -> Callable[..., Scanned]:
    def run(*roots: Folder | bytes, listed: Sequence[bytes] = (), **options: object) -> Scanned:
        paths = [root.path if isinstance(root, Folder) else root for root in roots]
        one = Scan(paths, ScanOptions(**options), ledger=ledger, host="here", plan=b"plan", listed=listed)
        return Scanned(one, list(one))

    return run


@pytest.fixture
def settle(ledger: MemoryLedger, scan: Callable[..., Scanned]) -> Callable[..., None]:
    """Scans and has everything that was found remembered as settled."""

    def run(*roots: Folder | bytes, **options: object) -> None:
        for found in scan(*roots, **options).found:
            ledger.settle(found)

    return run
