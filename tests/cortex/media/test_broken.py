"""Whatever is wrong with a file, operators are told by `LoomError`, soon."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from realmedia import FILMS, PAPERS, SOUNDS, VARIANTS, RealMedia

from cortex.node import MediaNode
from cortex.operators.films.scenes import Scenes
from cortex.operators.films.video_quality import VideoQuality
from cortex.operators.metadata.metadata import Metadata
from cortex.operators.pictures.dominant_color import DominantColor
from cortex.operators.pictures.image_edit import ImageEdit
from cortex.operators.pictures.image_quality import ImageQuality
from cortex.operators.pictures.thumbnails import Thumbnail
from cortex.operators.similarity.video_fingerprint import VideoFingerprint
from cortex.operators.sound.loudness import Loudness
from cortex.operators.sound.waveform import Waveform
from cortex.testing import run_operator
from loom.errors import LoomError

Written = Callable[[bytes], Path]

_FILES = [*(("variant", name) for name in VARIANTS), *(("film", name) for name in FILMS),
          *(("sound", name) for name in SOUNDS), *(("paper", name) for name in PAPERS)]  # fmt: skip
_ALLOWED = {"FILE_DAMAGED", "FILE_TRUNCATED", "FILE_TOO_LARGE", "FILE_EMPTY", "FORMAT_UNSUPPORTED", "FILE_ENCRYPTED",
            "MEMORY_EXCEEDED"}  # fmt: skip


def _mutated(data: bytes, chance: random.Random) -> bytes:
    """A cut, a few wrong bytes (more of them near the start), or a missing piece."""
    changed = bytearray(data)
    way = chance.random()
    if way < 0.3:
        return bytes(changed[: chance.randrange(len(changed))])
    if way < 0.8:
        for _ in range(chance.choice([1, 1, 4, 30])):
            reach = min(len(changed), chance.choice([64, 600, len(changed)]))
            changed[chance.randrange(reach)] = chance.choice([0, 255, chance.randrange(256)])
        return bytes(changed)
    start = chance.randrange(len(changed))
    del changed[start : start + chance.randrange(2000)]
    return bytes(changed)


def _codes(path: Path) -> set[str]:
    """The codes with which operators that look inside fail."""
    found = set()
    edit = ImageEdit(width=64, height=64, fit="fill", metadata="keep")
    still: tuple[MediaNode[Any], ...] = (ImageQuality(size=64), DominantColor(), edit)
    sounding = (Loudness(), Waveform())
    moving = (Scenes(pictures=2, picture_size=64), VideoFingerprint(), VideoQuality())
    for node in (Metadata(), Thumbnail(size=64, cols=2, rows=2), *still, *sounding, *moving):
        try:
            run_operator(node, path)
        except LoomError as error:
            found.add(error.code)
    return found


@pytest.mark.parametrize(("sort", "name"), _FILES)
def test_mutations(media: RealMedia, written: Written, capfd: pytest.CaptureFixture[str], sort: str, name: str) -> None:
    data = getattr(media, sort)(name).read_bytes()
    chance = random.Random(f"{sort} {name}")
    for _ in range(10):
        path = written(_mutated(data, chance))
        assert _codes(path) <= _ALLOWED
    capfd.readouterr()  # what libtiff says of damage goes to the error output


@pytest.mark.parametrize(("sort", "name"), _FILES)
def test_truncation_at_every_scale(
    media: RealMedia, written: Written, capfd: pytest.CaptureFixture[str], sort: str, name: str
) -> None:
    data = getattr(media, sort)(name).read_bytes()
    for length in (1, 7, 16, 40, 100, 700, len(data) // 3, len(data) - 1):
        assert _codes(written(data[:length])) <= _ALLOWED
    capfd.readouterr()
