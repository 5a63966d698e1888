"""Real speech: recordings of Debian's package forensics-samples-files (CC-BY-SA-4.0), and where they are spoken in."""

from __future__ import annotations

from pathlib import Path

import pytest

_FOLDER = Path("/usr/share/forensics-samples/original-files")
RECORDINGS = {
    "debian": ("audio1/debian.wav", [(0.7, 1.0), (2.0, 2.95), (3.2, 4.4)]),
    "deleted": ("audio2/deleted.wav", [(0.3, 0.65), (0.8, 1.5)]),
    "hello": ("movie2/movie-hello.mp4", [(0.8, 1.65), (2.0, 2.85), (6.3, 6.5)]),
}
"""Names, files, and from where to where somebody speaks, in seconds: where it is 8 dB louder than the room."""


def recording(name: str) -> Path:
    """The file; skips the test where the package is missing."""
    path = _FOLDER / RECORDINGS[name][0]
    if not path.exists():
        pytest.skip("real speech is missing: apt-get install forensics-samples-files")
    return path
