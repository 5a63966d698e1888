import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cortex.engine.cache import ATTRIBUTE, MetaPathCache, XattrCache
from loom.model import ArtifactRef, Branch, State, StoredResult
from loom.verbs import NewArtifact

ASSET, OTHER = b"a" * 32, b"b" * 32
RESULT = StoredResult(
    b"s" * 32, State.COMPLETED, Branch.PASS, b'{"x":1}', (ArtifactRef("thumbnail", b"d" * 32, "image/webp", 3),)
)
FAILED = StoredResult(b"t" * 32, State.FAILED, None, b"{}", (), "FILE_DAMAGED", "cut off")


@pytest.fixture
def file(tmp_path: Path) -> bytes:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"content")
    return os.fsencode(path)


@pytest.fixture(params=["meta-path", "xattr"])
def cache(request: pytest.FixtureRequest, tmp_path: Path, file: bytes) -> MetaPathCache | XattrCache:
    meta = MetaPathCache(tmp_path / "meta")
    if request.param == "meta-path":
        return meta
    try:
        os.setxattr(file, ATTRIBUTE, b"")
    except OSError:
        pytest.skip("this file system has no extended attributes")
    return XattrCache(meta)


def test_results_come_back_by_signature(cache: MetaPathCache | XattrCache, file: bytes) -> None:
    cache.put(ASSET, file, [RESULT])
    cache.put(ASSET, file, [FAILED])
    assert cache.get(ASSET, file) == {RESULT.signature: RESULT, FAILED.signature: FAILED}


@pytest.mark.parametrize("gone", ["gone.jpg", "photo.jpg/below-a-file"])
def test_results_of_a_file_that_is_gone_are_kept_for_its_content(
    cache: MetaPathCache | XattrCache, tmp_path: Path, file: bytes, gone: str
) -> None:
    cache.put(ASSET, os.fsencode(tmp_path / gone), [RESULT])
    assert cache.get(ASSET, file) == {RESULT.signature: RESULT}


def test_what_killed_processes_left_half_written_is_removed_once_it_is_old(tmp_path: Path, file: bytes) -> None:
    script = f"""
import os, signal
from pathlib import Path
from cortex.engine.cache import MetaPathCache
from loom.verbs import NewArtifact
Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
MetaPathCache(Path({str(tmp_path / "meta")!r})).put_artifacts([NewArtifact(b"d" * 32, "image/webp", b"abc")])
"""
    for _ in range(2):
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    old, fresh = left = [path for path in (tmp_path / "meta").rglob("*") if path.is_file()]
    os.utime(old, (1_700_000_000, 1_700_000_000))
    cache = MetaPathCache(tmp_path / "meta")
    assert cache.get(ASSET, file) == {}
    assert all(path.exists() for path in left), "who only reads removes nothing"
    cache.put(ASSET, file, [RESULT])
    assert not old.exists()
    assert fresh.exists(), "a living process may still be writing it"


def test_a_record_of_other_content_is_ignored(cache: MetaPathCache | XattrCache, file: bytes) -> None:
    cache.put(ASSET, file, [RESULT])
    assert cache.get(OTHER, file) == {}


def test_derived_files_are_kept_by_digest(cache: MetaPathCache | XattrCache) -> None:
    cache.put_artifacts([NewArtifact(b"d" * 32, "image/webp", b"abc")])
    assert cache.artifact(b"d" * 32) == b"abc"
    assert cache.artifact(b"e" * 32) is None


def test_a_damaged_record_counts_as_none(tmp_path: Path, file: bytes) -> None:
    cache = MetaPathCache(tmp_path / "meta")
    cache.put(ASSET, file, [RESULT])
    (record,) = (path for path in (tmp_path / "meta" / "results").rglob("*") if path.is_file())
    record.write_bytes(record.read_bytes()[:-3])
    assert cache.get(ASSET, file) == {}
    cache.put(ASSET, file, [RESULT])
    assert cache.get(ASSET, file) == {RESULT.signature: RESULT}


def test_what_does_not_fit_an_attribute_goes_to_the_meta_path(
    tmp_path: Path, file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space for attributes")

    monkeypatch.setattr(os, "setxattr", refuse)
    cache = XattrCache(MetaPathCache(tmp_path / "meta"))
    cache.put(ASSET, file, [RESULT])
    assert cache.get(ASSET, file) == {RESULT.signature: RESULT}
    assert any((tmp_path / "meta").rglob("*"))
