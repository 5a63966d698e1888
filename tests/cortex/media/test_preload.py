from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from realmedia import FILMS, PAPERS, SOUNDS, VARIANTS, RealMedia

CODE = """
import os, sys
from cortex.media.preload import preload
preload()
import cortex.testing
from cortex.operators.sound.loudness import Loudness
from cortex.operators.metadata.metadata import Metadata
from cortex.operators.films.scenes import Scenes
from cortex.operators.pictures.thumbnails import Thumbnail
from cortex.operators.similarity.video_fingerprint import VideoFingerprint
from cortex.operators.films.video_quality import VideoQuality
from cortex.operators.sound.waveform import Waveform
NODES = (Metadata(), Thumbnail(size=64), Loudness(), Scenes(), VideoFingerprint(), VideoQuality(), Waveform())
for node in NODES:
    node.open()
before = set(sys.modules)
for path in sys.argv[1:]:
    for node in NODES:
        cortex.testing.run_operator(node, path)
late = {name for name in set(sys.modules) - before}
assert not late, late
"""


def test_nothing_is_imported_after_preloading(media: RealMedia, tmp_path: Path) -> None:
    """A confined worker may find out that it cannot."""
    paths: list[Path] = [media.photo(), *map(media.variant, VARIANTS), *map(media.film, FILMS)]
    paths += [*map(media.sound, SOUNDS), *map(media.paper, PAPERS)]
    older = tmp_path / "older.txt"
    older.write_bytes("Привет, мир".encode("koi8-r"))
    paths.append(older)
    subprocess.run([sys.executable, "-c", CODE, *map(str, paths)], check=True)
