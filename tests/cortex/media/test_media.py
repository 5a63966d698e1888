from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from realmedia import RealMedia

from cortex.media import Media
from cortex.media.file import KEEP_LIMIT
from cortex.media.wants import Wants
from loom.errors import LoomError
from loom.model import FileStat, Kind, asset_uuid

Opened = Callable[..., Media]
HASHES = Wants(streams={"sha256": hashlib.sha256, "sha1": hashlib.sha1})


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file too large to be kept in memory."""
    path = tmp_path_factory.mktemp("large") / "file"
    with path.open("wb") as out:
        out.write(os.urandom(1000))
        out.truncate(KEEP_LIMIT + 1)
    return path


def _bytes_read(work: Callable[[], object]) -> int:
    def count() -> int:
        lines = Path("/proc/self/io").read_text().splitlines()
        return int(lines[0].split()[1])

    before = count()
    work()
    return count() - before


@pytest.mark.parametrize("size", ["small", "large"])
def test_one_read_gives_every_digest(opened: Opened, large: Path, real_image: Path, size: str) -> None:
    path = large if size == "large" else real_image
    content = path.read_bytes()
    media = opened(path, HASHES)
    read = _bytes_read(lambda: media.identify(all_streams=True))
    assert media.asset.blake3 == blake3(content).digest()
    assert media.asset.uuid == asset_uuid(media.asset.blake3)
    assert media.stream("sha256").hexdigest() == hashlib.sha256(content).hexdigest()  # type: ignore[attr-defined]
    assert media.stream("sha1").hexdigest() == hashlib.sha1(content).hexdigest()  # type: ignore[attr-defined]
    assert len(content) <= read < len(content) + 100_000
    assert not media.changed()


def test_streams_of_a_large_file_share_one_later_read(opened: Opened, large: Path) -> None:
    media = opened(large, HASHES)
    media.identify(all_streams=False)
    read = _bytes_read(lambda: (media.stream("sha1"), media.stream("sha256")))
    assert KEEP_LIMIT < read < KEEP_LIMIT + 100_000
    assert media.stream("sha256") is media.stream("sha256")


def test_a_known_asset_is_not_read_before_its_bytes_are_needed(opened: Opened, large: Path) -> None:
    media = opened(large, HASHES)
    media.assume(b"\1" * 32)
    assert _bytes_read(lambda: media.asset) < 10_000
    assert media.asset.blake3 == b"\1" * 32


def test_a_kept_file_serves_everything_after_it_is_gone(opened: Opened, real_image: Path, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(real_image.read_bytes())
    media = opened(path, HASHES)
    media.identify(all_streams=False)
    os.truncate(path, 0)
    assert media.image(64).size == (64, 43)
    assert media.stream("sha256").hexdigest() == hashlib.sha256(real_image.read_bytes()).hexdigest()  # type: ignore[attr-defined]
    with media.open() as file:
        assert file.read() == real_image.read_bytes()
    assert media.changed()


def test_a_stream_nobody_wants_is_a_defect_of_the_operator(opened: Opened, real_image: Path) -> None:
    with pytest.raises(LoomError, match="'md5'") as caught:
        opened(real_image).stream("md5")
    assert caught.value.code == "OPERATOR_FAILED"


def test_facts_of_a_file(opened: Opened, real_image: Path) -> None:
    media = opened(real_image)
    status = real_image.stat()
    assert media.stat == FileStat(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)
    assert (media.path, media.path_bytes) == (str(real_image), os.fsencode(real_image))
    assert (media.size, media.mime, media.kind) == (status.st_size, "image/jpeg", Kind.IMAGE)


def test_phases_are_announced_and_shared_work_is_done_once(opened: Opened, real_image: Path) -> None:
    phases: list[str | None] = []
    media = opened(real_image, Wants(image_side=256), on_phase=phases.append)
    media.probe()
    assert phases == ["probe", None]
    assert media.image(256).size == (256, 171)
    done = ["probe", None, "image", None, "image", None]
    assert phases == done
    assert media.image(256) is media.image(256)
    media.probe()
    assert phases == done


def test_the_largest_wanted_picture_serves_the_smaller_ones(opened: Opened, real_image: Path) -> None:
    phases: list[str | None] = []
    media = opened(real_image, Wants(image_side=256), on_phase=phases.append)
    assert media.image(64).size == (64, 43)
    assert media.image(256).size == (256, 171)
    assert phases.count("probe") == 1
    assert media.image(2000).size == (640, 427)
    assert media.image().size == (640, 427)


def test_a_blamed_phase_fails_without_being_tried(opened: Opened, real_image: Path) -> None:
    phases: list[str | None] = []
    blamed = {"image": ("WORKER_CRASHED", "the worker died while decoding")}
    media = opened(real_image, blamed=blamed, on_phase=phases.append)
    for _ in range(2):
        with pytest.raises(LoomError, match="died while decoding") as caught:
            media.image(64)
        assert caught.value.code == "WORKER_CRASHED"
    assert "image" not in phases
    assert media.probe().width == 640


def test_a_failure_is_remembered(opened: Opened, written: Callable[[bytes], Path], real_image: Path) -> None:
    phases: list[str | None] = []
    media = opened(written(real_image.read_bytes()[:30_000]), on_phase=phases.append)
    messages = set()
    for _ in range(2):
        with pytest.raises(LoomError) as caught:
            media.image(64)
        assert caught.value.code == "FILE_TRUNCATED"
        messages.add(caught.value.message)
    assert len(messages) == 1
    assert phases == ["probe", None, "image", None]


@pytest.mark.parametrize("ask", [Media.probe, Media.image, Media.text, Media.audio, lambda m: m.frames(4)])
def test_an_empty_file_is_empty(opened: Opened, written: Callable[[bytes], Path], ask: Callable[[Media], Any]) -> None:
    media = opened(written(b""))
    assert media.kind is Kind.OTHER
    assert media.asset.blake3 == blake3(b"").digest()
    with pytest.raises(LoomError) as caught:
        ask(media)
    assert caught.value.code == "FILE_EMPTY"


def test_what_a_kind_does_not_have(opened: Opened, media: RealMedia, real_image: Path) -> None:
    for path, ask in (
        (real_image, Media.text),
        (real_image, Media.audio),
        (media.paper("pdf"), Media.image),
        (media.paper("txt"), Media.probe),
        (media.sound("wav"), Media.image),
        (media.film("h264-silent"), Media.audio),
    ):
        with pytest.raises(LoomError) as caught:
            ask(opened(path))
        assert caught.value.code == "FORMAT_UNSUPPORTED"


def test_text(opened: Opened, media: RealMedia, large: Path, written: Callable[[bytes], Path]) -> None:
    assert opened(media.paper("txt")).text() == media.paper("txt").read_text(encoding="utf-8")
    path = written(b"word " * 100)
    os.truncate(path, KEEP_LIMIT + 1)
    with path.open("r+b") as out:
        out.seek(0)
        out.write(b"word " * 20_000)
    with pytest.raises(LoomError) as caught:
        opened(path).text()
    assert caught.value.code == "FILE_TOO_LARGE"


def test_large_media_are_decoded_from_the_file(opened: Opened, media: RealMedia, tmp_path: Path) -> None:
    """Not kept in memory: a photograph and a film, with a long tail that readers pass over."""
    for source, tail in ((media.photo(), b""), (media.film("h264"), (KEEP_LIMIT + 8).to_bytes(4, "big") + b"free")):
        path = tmp_path / source.name
        path.write_bytes(source.read_bytes() + tail)
        os.truncate(path, source.stat().st_size + KEEP_LIMIT + 8)
        shown = opened(path)
        assert shown.probe().width == (1200 if source.suffix == ".jpg" else 320)
        assert max(shown.image(100).size) == 100
        assert not shown.changed()


def test_closing_leaves_no_descriptor_open(media: RealMedia, tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(media.film("h264").read_bytes() + (KEEP_LIMIT + 8).to_bytes(4, "big") + b"free")
    os.truncate(path, path.stat().st_size + KEEP_LIMIT)
    before = len(os.listdir("/proc/self/fd"))
    for source in (path, media.photo(), media.sound("flac")):
        with Media.open_path(os.fsencode(source), Wants()) as shown:
            shown.probe()
            shown.image(64)
    assert len(os.listdir("/proc/self/fd")) == before


def test_decoders_are_loaded_only_when_needed() -> None:
    modules = ("identity.hashing", "identity.chunking", "metadata.metadata", "pictures.thumbnails")
    code = f"""
import sys
import cortex.media, cortex.testing
import {", ".join(f"cortex.operators.{module}" for module in modules)}
heavy = {{"PIL", "av", "numpy", "pi_heif"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
