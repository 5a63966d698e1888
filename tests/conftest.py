"""What every test stands on: nobody's real folders, and real media."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from realmedia import RealMedia

settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")

_XDG = {"XDG_DATA_HOME": ".local/share", "XDG_CONFIG_HOME": ".config", "XDG_CACHE_HOME": ".cache",
        "XDG_STATE_HOME": ".local/state", "XDG_RUNTIME_DIR": ".run"}  # fmt: skip
_OURS = ("LOOM_", "CORTEX_", "XDG_", "NO_COLOR", "FORCE_COLOR")
_numbers = itertools.count()


def pytest_collection_finish() -> None:
    """The tests themselves are no garbage: they are not to be looked through again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def home(_homes: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder of this test's own; no setting comes from the environment that runs the tests."""
    home = _homes / str(next(_numbers))
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(_OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for name, below in _XDG.items():
        monkeypatch.setenv(name, str(home / below))
    return home


@pytest.fixture
def data_dir(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Loom's data folder, set by LOOM_DATA_DIR and not made yet."""
    folder = home / "loom-data"
    monkeypatch.setenv("LOOM_DATA_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> RealMedia:
    """Real pictures, films and sound, and what can be derived from them; every file is made once and is not to be
    changed (`media_folder` has copies)."""
    return RealMedia(tmp_path_factory.mktemp("media"))


@pytest.fixture(scope="session")
def real_images(media: RealMedia) -> list[Path]:
    """Photographs, scans and drawings as they were published: PNG, JPEG, TIFF and GIF of many modes."""
    return list(media.images.values())


@pytest.fixture(scope="session")
def real_image(media: RealMedia) -> Path:
    """A photograph of a rocket: JPEG, 640 × 427."""
    return media.images["rocket"]


@pytest.fixture(scope="session")
def real_video(media: RealMedia) -> Path:
    """H.264 in MP4, 1280 × 720, 5.3 s, with sound in AAC 5.1."""
    return media.films["bigbuckbunny"]


@pytest.fixture(scope="session")
def real_audio(media: RealMedia) -> Path:
    """Music as FLAC in stereo, 5.3 s, with tags and cover."""
    return media.sound("flac")


@pytest.fixture
def media_folder(media: RealMedia, tmp_path: Path) -> Iterator[Path]:
    """A small folder as people have them, free to be changed: photographs with EXIF, one of them twice, a film, music,
    a text, a page, a PDF; 10 files of 9 contents in three folders."""
    folder = tmp_path / "media"
    for below, path in media.household():
        target = folder / below
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
