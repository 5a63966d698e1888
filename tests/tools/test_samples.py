"""The sample media of `make run`."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest
import samples
from PIL import Image

from cortex.media import Media
from cortex.media.wants import Wants
from loom.model import Kind


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    samples.make(folder)
    return folder


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in _files(folder)}


@pytest.mark.slow
def test_every_kind_is_there_and_one_file_twice(folder: Path) -> None:
    kinds: Counter[Kind] = Counter()
    for path in _files(folder):
        with Media.open_path(str(path).encode(), Wants()) as media:
            kinds[media.kind] += 1
    assert kinds.total() >= 24
    assert set(kinds) == set(Kind) - {Kind.OTHER}
    assert len(set(_digests(folder).values())) == kinds.total() - 1


@pytest.mark.slow
def test_photographs_have_several_megapixels(folder: Path) -> None:
    for path in (folder / "photos").rglob("*.jpg"):
        with Image.open(path) as image:
            assert image.width * image.height >= 2_000_000
            assert image.getexif()[0x0110] == "Sample Camera"


@pytest.mark.slow
def test_the_bytes_are_the_same_every_time(folder: Path, tmp_path: Path) -> None:
    samples.make(tmp_path)
    assert _digests(tmp_path) == _digests(folder)
    times = {path.relative_to(folder): path.stat().st_mtime for path in _files(folder)}
    assert {path.relative_to(tmp_path): path.stat().st_mtime for path in _files(tmp_path)} == times
