from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers on loopback are asked directly."""
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def broken_files(real_image: Path, tmp_path: Path) -> list[Path]:
    """A photograph that ends early, one of which the middle is zeros, and noise without a format."""
    data = real_image.read_bytes()
    folder = tmp_path / "broken"
    folder.mkdir()
    made = {
        "short.jpg": data[: len(data) // 3],
        "holes.jpg": data[:5000] + bytes(len(data) - 5000),
        "noise.jpg": bytes(range(7, 256)) * 20,
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return sorted(folder.iterdir())
