"""What is drawn over pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    """A green disc on nothing, 200 x 100."""
    picture = Image.new("RGBA", (200, 100), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((0, 0, 199, 99), (0, 255, 0, 255))
    picture.save(path := tmp_path / "logo.png")
    return path
