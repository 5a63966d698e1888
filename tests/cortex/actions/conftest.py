"""A Loom that knows a folder with two copies of a photograph and a smaller one that is like it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from blake3 import blake3
from ingests import HOST, Story, carry_out, definition, loom_in
from ledgers import opening
from PIL import Image

from cortex.actions.applying import Applying, Moved
from cortex.actions.files import found_at
from loom.duplicates import DuplicateShape
from loom.model import AssetReport, Kind
from loom.service.loom import LocalLoom

OLD = 1_600_000_000
SUMS = definition("sums", {"id": "sum", "operator": "hash.md5"})


def _report(path: bytes) -> AssetReport:
    data = Path(os.fsdecode(path)).read_bytes()
    return AssetReport(blake3(data).digest(), len(data), "image/jpeg", Kind.IMAGE, (found_at(path),))


class Archive(NamedTuple):
    """`copy` is an older copy of `photo`, `small` is like both; `to` is a folder on this or another disk."""

    loom: LocalLoom
    photo: Path
    copy: Path
    small: Path
    to: Path

    def blake3(self, path: Path) -> bytes:
        return bytes.fromhex(self.loom.asset_by_path(HOST, os.fsencode(path)).blake3)

    def exact(self) -> DuplicateShape:
        """The group of the copies, confirmed: `copy` is kept."""
        uuid = self.loom.propose("exact", [(self.blake3(self.photo), 0)])
        assert uuid is not None
        return self.loom.confirm_duplicate(uuid)

    def similar(self) -> DuplicateShape:
        """The group of both pictures, confirmed: the larger is kept."""
        uuid = self.loom.propose("similar", [(self.blake3(self.photo), 0), (self.blake3(self.small), 4)])
        assert uuid is not None
        return self.loom.confirm_duplicate(uuid)

    def apply(self, group: DuplicateShape, *, to: Path | None = None, dry_run: bool = False) -> list[Moved]:
        applying = Applying(self.loom, HOST, os.fsencode(to or self.to), dry_run)
        return list(applying.apply(self.loom.duplicate(group.uuid)))

    def aside(self, path: Path) -> Path:
        return self.to / str(path).lstrip("/")

    def tell(self) -> None:
        """Loom knows what lies in the folder now."""
        made = opening("sums", 0, definition=SUMS, host=HOST)
        self.loom.open_run(made)
        paths = [os.fsencode(path) for path in self.photo.parent.rglob("*") if path.is_file()]
        self.loom.report(made.uuid, [_report(path) for path in paths])

    def ingest(self) -> Story:
        return carry_out(self.loom, self.photo.parent, SUMS)


@pytest.fixture
def to(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """On the disk of the files, unless a test asks for another one."""
    folder = tmp_path / "aside"
    folder.mkdir()
    if getattr(request, "param", "this disk") == "this disk":
        yield folder
        return
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other disk here")
    with tempfile.TemporaryDirectory(dir=memory) as made:
        yield Path(made)


@pytest.fixture
def archive(tmp_path: Path, real_image: Path, to: Path) -> Iterator[Archive]:
    folder = tmp_path / "files"
    (folder / "old").mkdir(parents=True)
    photo, copy, small = folder / "rocket.jpg", folder / "old" / "rocket.jpg", folder / "small.jpg"
    for path in (photo, copy):
        shutil.copy(real_image, path)
    with Image.open(real_image) as image:
        image.resize((64, 43)).save(small)
    for age, path in enumerate((photo, small, copy)):
        os.utime(path, (OLD - age, OLD - age))
    with loom_in(tmp_path / "loom") as loom:
        made = Archive(loom, photo, copy, small, to)
        made.tell()
        yield made


@pytest.fixture
def files() -> Callable[[Path], list[str]]:
    def look(folder: Path) -> list[str]:
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())

    return look
