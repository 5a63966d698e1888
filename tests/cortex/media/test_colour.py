from __future__ import annotations

import pytest
from PIL import Image

from cortex.media.colour import flattened, resizable


@pytest.mark.parametrize(
    ("mode", "becomes"),
    [("RGB", "RGB"), ("L", "L"), ("1", "L"), ("P", "RGB"), ("LA", "LA"), ("RGBA", "RGBA"), ("CMYK", "CMYK"),
     ("I;16", "L"), ("I", "L"), ("F", "L"), ("HSV", "RGB"), ("PA", "RGBA"), ("YCbCr", "YCbCr")],
)  # fmt: skip
def test_every_mode_can_be_resampled(mode: str, becomes: str) -> None:
    image = resizable(Image.new(mode, (9, 9)))
    assert image.mode == becomes
    image.thumbnail((4, 4), Image.Resampling.LANCZOS, reducing_gap=1.0)


def test_a_colour_key_becomes_transparency() -> None:
    image = Image.new("RGB", (4, 4), (1, 2, 3))
    image.info["transparency"] = (1, 2, 3)
    assert flattened(resizable(image)).getpixel((0, 0)) == (255, 255, 255)
