from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from ingests import HOST, Faulty, loom_in
from ledgers import definition, digest, done, failed, found, opening, report

from cortex.engine.cache import MetaPathCache, XattrCache
from cortex.engine.keeper import CacheOnly, WithLoom, into_cache
from cortex.engine.reporting import Batch
from loom.errors import LoomError
from loom.model import ArtifactRef, Origin
from loom.verbs import NewArtifact

ASSET = digest("asset")


class Run:
    """Stands for a run; its results are reported under `ledgers.STEPS`."""

    def __init__(self) -> None:
        self.opening = opening(version=0, definition=definition())
        self.uuid = self.opening.uuid
        self.opened = False


def batch_of(run: Any, *results: Any, artifacts: tuple[NewArtifact, ...] = ()) -> Batch:
    batch = Batch(run)
    batch.reports.append(report("asset", found(b"/m/file"), results=results))
    batch.artifacts.update({artifact.digest: artifact for artifact in artifacts})
    return batch


@pytest.fixture
def cache(tmp_path: Path) -> MetaPathCache:
    return MetaPathCache(tmp_path / "meta")


def picture(data: bytes = b"webp") -> tuple[NewArtifact, ArtifactRef]:
    key = blake3(data).digest()
    return NewArtifact(key, "image/webp", data), ArtifactRef("thumbnail", key, "image/webp", len(data))


def test_failures_that_may_be_tried_again_are_not_kept(cache: MetaPathCache) -> None:
    lasting, passing = failed(0, "FILE_DAMAGED"), failed(1, "READ_FAILED")
    into_cache(cache, batch_of(Run(), lasting, passing))
    assert cache.get(ASSET, b"/m/file") == {lasting.signature: lasting}


def test_without_loom_all_that_is_kept_whole_is_used(cache: MetaPathCache) -> None:
    new, ref = picture()
    whole, broken = done(0, artifacts=(ref,)), failed(1)
    keeper = CacheOnly(cache)
    keeper.keep(batch_of(Run(), whole, broken, artifacts=(new,)))
    signatures = [whole.signature, broken.signature]
    (usable,) = keeper.usable([(ASSET, b"/m/file")], signatures)
    assert usable.known
    assert usable.results == {r.signature: (r, Origin.CACHED) for r in (whole, broken)}
    for path in (cache._root / "artifacts").rglob(ref.digest.hex()):
        path.write_bytes(b"rot")
    (usable,) = keeper.usable([(ASSET, b"/m/file")], signatures)
    assert list(usable.results) == [broken.signature]


def test_with_loom_what_only_the_cache_has_is_handed_in(cache: MetaPathCache, tmp_path: Path) -> None:
    new, ref = picture()
    run: Any = Run()
    into_cache(cache, batch_of(run, done(0, artifacts=(ref,)), failed(1), artifacts=(new,)))
    with loom_in(tmp_path / "data") as loom:
        keeper = WithLoom(loom, HOST, loom.open_run, [run], lambda run: run.opening, cache)
        (usable,) = keeper.usable([(ASSET, b"/m/file")], [done(0).signature, done(1).signature])
        assert not usable.known
        assert list(usable.results) == [done(0).signature], "failures are Loom's to remember"
        assert [upload.signature for upload in usable.uploads] == [done(0).signature]
        keeper.keep(batch_of(run, *usable.uploads))
        assert run.opened
        assert loom.artifact(ref.digest) == ("image/webp", b"webp")
        (usable,) = keeper.usable([(ASSET, b"/m/file")], [done(0).signature])
        assert usable.known
        assert usable.uploads == ()


def test_a_run_is_opened_once_and_before_anything_is_kept(tmp_path: Path) -> None:
    run: Any = Run()
    with loom_in(tmp_path / "data") as loom:
        recorded = Faulty(loom)
        keeper = WithLoom(recorded, HOST, recorded.open_run, [run], lambda run: run.opening)
        keeper.keep(batch_of(run, done(0)))
        keeper.keep(batch_of(run, done(1)))
    assert [verb for verb, _ in recorded.said] == ["open_run", "report", "report"]


def test_a_cache_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "meta").write_text("a file where a folder should be")
    with pytest.raises(LoomError, match="local cache cannot be written") as raised:
        into_cache(MetaPathCache(tmp_path / "meta"), batch_of(Run(), done(0)))
    assert raised.value.code == "CONFIG_INVALID"


def test_a_file_that_is_gone_before_its_results_are_kept_fails_nothing(cache: MetaPathCache) -> None:
    into_cache(XattrCache(cache), batch_of(Run(), done(0)))
    assert cache.get(ASSET, b"/m/file") == {done(0).signature: done(0)}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_is_told_as_such(cache: MetaPathCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(place: Path, pieces: Iterable[bytes]) -> None:
        with open("/dev/full", "wb", buffering=0) as full:
            full.writelines(pieces)

    monkeypatch.setattr(cache, "_write", write)
    with pytest.raises(LoomError) as raised:
        into_cache(cache, batch_of(Run(), done(0)))
    assert raised.value.code == "DISK_FULL"
