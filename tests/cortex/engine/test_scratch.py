"""What is too large for a message between processes goes through a file that has no name."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
import pytest
from blake3 import blake3
from ingests import HOST, Story, carry_out, definition, loom_in
from ledgers import toy_operators
from mediakit.recordings import Sound, write_sound
from realmedia import RealMedia

from cortex.engine import scratch, seccomp, wire
from cortex.engine.board import Board
from cortex.engine.cache import MetaPathCache
from cortex.engine.limits import Limits
from cortex.engine.records import Answer, Computed, Item, Spilled, Walked
from cortex.operators.films.transcode import Transcode
from cortex.testing import run_operator
from loom.api.app import create_app
from loom.api.server import start_in_background
from loom.bus.hub import Hub
from loom.client import LoomClient
from loom.model import Branch, FileStat
from loom.shapes import ArtifactShape

if not seccomp.is_supported():
    pytest.skip("workers are not confined by the kernel here", allow_module_level=True)

SMALL = Limits(in_memory=20_000)
PROXY = {"id": "proxy", "operator": "media.transcode", "config": {"side": 160}}


@pytest.fixture
def films(media: RealMedia, tmp_path: Path) -> Path:
    (folder := tmp_path / "films").mkdir()
    shutil.copy(media.film("h264"), folder / "film.mp4")
    return folder


@pytest.fixture(params=["embedded", "over HTTP"])
def loom(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with ExitStack() as stack:
        there = stack.enter_context(loom_in(tmp_path / "data"))
        if request.param == "embedded":
            yield there
        else:
            app = create_app(there, Hub(), toy_operators(), token="secret")
            server = stack.enter_context(start_in_background(app, "127.0.0.1", 0, or_next=False))
            yield stack.enter_context(closing(LoomClient(f"http://{server.address}", "secret")))


def artifact_of(loom: Any, film: Path, name: str) -> ArtifactShape:
    asset = loom.asset_by_path(HOST, bytes(film))
    return next(one for result in loom.asset_results(asset.uuid) for one in result.artifacts if one.name == name)


def frames(film: bytes) -> list[tuple[int, int, int | None]]:
    """Width, height and time of each frame."""
    with av.open(io.BytesIO(film)) as container:
        return [(frame.width, frame.height, frame.pts) for frame in container.decode(video=0)]


def test_a_large_derived_file_is_stored_as_a_small_one_is(loom: Any, films: Path, tmp_path: Path) -> None:
    story = carry_out(loom, films, definition("proxies", PROXY), limits=SMALL, scratch=tmp_path / "scratch")
    assert story.nodes("proxy") == {"computed": 1}
    made = artifact_of(loom, films / "film.mp4", "film")
    kind, data = loom.artifact(bytes.fromhex(made.digest))
    assert (kind, len(data), blake3(data).hexdigest()) == ("video/mp4", made.size, made.digest)
    assert made.size > SMALL.in_memory
    # not byte for byte: how the scaler rounds depends on where in memory a picture lies
    assert frames(data) == frames(run_operator(Transcode(side=160), films / "film.mp4").artifact("film").data)
    assert not any((tmp_path / "scratch").iterdir()), "it never had a name"
    assert not any((tmp_path / "data" / "blobs" / ".new").iterdir())


def test_it_lies_in_the_cache_too_and_comes_from_there(films: Path, tmp_path: Path) -> None:
    cache = MetaPathCache(tmp_path / "meta")
    more: dict[str, Any] = {"cache": cache, "limits": SMALL, "scratch": tmp_path / "scratch"}
    for folder, state in (("one", "computed"), ("two", "cached")):
        with loom_in(tmp_path / folder) as loom:
            story = carry_out(loom, films, definition("proxies", PROXY), **more)
            assert story.nodes("proxy") == {state: 1}
            made = artifact_of(loom, films / "film.mp4", "film")
            assert blake3(loom.artifact(bytes.fromhex(made.digest))[1]).hexdigest() == made.digest


def test_a_dry_run_counts_it_and_keeps_nothing(films: Path, tmp_path: Path) -> None:
    with loom_in(tmp_path / "data") as loom:
        story = carry_out(
            loom, films, definition("proxies", PROXY), limits=SMALL, scratch=tmp_path / "scratch", dry_run=True
        )
    would = story.summary["would_write"]
    assert would["artifacts"] == 1
    assert would["bytes"] > SMALL.in_memory
    assert not (tmp_path / "data" / "blobs").exists()
    assert not any((tmp_path / "scratch").iterdir())


def test_what_may_not_grow_any_more_is_too_large(films: Path, tmp_path: Path) -> None:
    limits = SMALL._replace(scratch=30_000)
    assert _failure(films, tmp_path, limits, tmp_path / "scratch") == "FILE_TOO_LARGE"
    assert _failure(films, tmp_path, SMALL, None) == "FILE_TOO_LARGE"


def _failure(films: Path, tmp_path: Path, limits: Limits, folder: Path | None) -> str:
    with loom_in(tmp_path / f"data-{limits.scratch}") as loom:
        story: Story = carry_out(loom, films, definition("proxies", PROXY), limits=limits, scratch=folder)
    (failure,) = story.heard.failures
    return str(failure.code)


def made_with(*spilled: Spilled, step: int = 0) -> Walked:
    computed = Computed(step, Branch.PASS, b"{}", (), None, None, 1, 1, False, 1, spilled)
    return Walked(1, None, None, True, (None,), (computed,))


def test_a_worker_cannot_name_what_it_has_not_written(tmp_path: Path) -> None:
    file = scratch.opened(str(tmp_path / "new"))
    assert file is not None
    os.pwrite(file.fileno(), bytes(100), 0)
    good = scratch.with_files(made_with(Spilled("film", "video/mp4", ((0, 60), (60, 40)))), file, None)
    assert good.computed[0].spilled[0].read(100).data == bytes(100)
    for extents in (((0, 101),), ((-1, 10),), ((50, -5),), ((99, 2),), tuple((0, 0) for _ in range(2000))):
        with pytest.raises(ValueError, match="not where"):
            scratch.with_files(made_with(Spilled("film", "video/mp4", extents)), file, None)
    with pytest.raises(ValueError, match="not where"):
        scratch.with_files(made_with(Spilled("film", "video/mp4", ((0, 1),))), None, None)


def test_what_an_earlier_worker_made_stays_where_it_lies(tmp_path: Path) -> None:
    """The asset goes to another worker, which is told of it but cannot read it, and comes back."""
    first, second = scratch.opened(str(tmp_path)), scratch.opened(str(tmp_path))
    assert first is not None
    os.pwrite(first.fileno(), b"film", 0)
    before = scratch.with_files(made_with(Spilled("film", "video/mp4", ((0, 4),))), first, None)
    item = Item(1, b"/film", b"film", FileStat(1, 1, 1, 1), resume=before)
    order = msgspec.msgpack.decode(wire._ENCODER.encode(wire.Order([item], [Answer(1, True)])), type=wire.Order)
    there = order.items[0].resume
    assert there is not None
    assert there.computed[0].spilled[0].file is None
    after = scratch.with_files(there, second, before)
    assert after.computed[0].spilled[0].read(100).data == b"film"


def test_the_shared_page_of_workers_cannot_be_grown() -> None:
    board = Board(1)
    try:
        with pytest.raises(PermissionError):
            os.pwrite(board.fd, b"x", os.fstat(board.fd).st_size + 1_000_000)
    finally:
        board.close()


@pytest.mark.slow
def test_more_than_128_megabytes(loom: Any, media: RealMedia, tmp_path: Path) -> None:
    """Noise over music, which FLAC can hardly make smaller, for 13 minutes."""
    music = np.tile(media.music.samples, 150)
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, music.shape).astype(np.float32)
    (folder := tmp_path / "sounds").mkdir()
    path = write_sound(folder / "long.wav", Sound(music / 2 + noise), "pcm_s16le")
    sound = {"id": "sound", "operator": "media.transcode", "config": {"to": "audio", "audio_codec": "flac"}}
    story = carry_out(loom, folder, definition("sounds", sound), scratch=tmp_path / "scratch")
    assert story.nodes("sound") == {"computed": 1}
    made = artifact_of(loom, path, "sound")
    assert made.size > 128 * 1024 * 1024
    assert blake3(loom.artifact(bytes.fromhex(made.digest))[1]).hexdigest() == made.digest
