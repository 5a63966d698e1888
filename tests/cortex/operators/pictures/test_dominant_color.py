from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydantic import ValidationError
from realmedia import VARIANTS, RealMedia

from cortex.operators.pictures.cielab import to_lab
from cortex.operators.pictures.colour_clusters import main_colours
from cortex.operators.pictures.dominant_color import DominantColor
from cortex.testing import run_operator
from loom.errors import LoomError
from loom.model import State

UNREADABLE = {"multipage_rgb"}
"""Of a form that Pillow does not know."""


def _colors(path: Path, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run_operator(DominantColor(**options), path).outputs["colors"]
    return found


def _names(path: Path) -> set[str]:
    return {color["name"] for color in _colors(path) if color["share"] >= 0.1}


def test_photographs(media: RealMedia) -> None:
    assert _names(media.photo("coffee")) == {"brown", "red"}
    assert _names(media.photo("rocket")) == {"black", "blue"}
    assert _names(media.images["chelsea"]) == {"brown"}
    assert {"red", "grey", "black"} <= _names(media.images["astronaut"])


def test_a_picture_of_few_colours(tmp_path: Path) -> None:
    picture = Image.new("RGB", (400, 200), "#c04020")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 99, 199), "#2060d0")
    draw.rectangle((100, 0, 119, 199), "#ffffff")
    picture.save(path := tmp_path / "picture.png")
    run = run_operator(DominantColor(), path)
    assert (run.outputs["name"], run.outputs["hex"]) == ("red", "#c04020")
    found = {color["name"]: color for color in run.outputs["colors"] if color["share"] > 0.03}
    shares = {name: color["share"] for name, color in found.items()}
    assert shares == pytest.approx({"red": 0.7, "blue": 0.25, "white": 0.05}, abs=0.02)
    assert [found[name]["hex"] for name in ("red", "blue")] == ["#c04020", "#2060d0"]
    assert found["blue"]["lab"] == pytest.approx(to_lab((0x20, 0x60, 0xD0)), abs=0.3)
    assert [color["name"] for color in _colors(path, count=1)] == ["red"]
    assert [color["name"] for color in _colors(path, min_share=0.1)] == ["red", "blue"]


def test_shares_are_in_order_and_colours_apart(real_images: list[Path]) -> None:
    for path in real_images:
        if path.stem in UNREADABLE:
            continue
        found = _colors(path, count=8)
        shares = [color["share"] for color in found]
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1.001
        labs = np.array([color["lab"] for color in found])
        apart = np.sqrt(((labs[:, None] - labs[None]) ** 2).sum(axis=2))
        assert (apart[np.triu_indices(len(found), 1)] >= 9.9).all()
        assert found == _colors(path, count=8), "always the same"


def test_transparent_pixels_do_not_count(tmp_path: Path) -> None:
    picture = Image.new("RGBA", (100, 100), (255, 255, 255, 0))
    ImageDraw.Draw(picture).rectangle((0, 0, 49, 49), (0, 90, 200, 255))
    ImageDraw.Draw(picture).rectangle((50, 50, 99, 99), (200, 30, 30, 128))
    picture.save(path := tmp_path / "picture.png")
    found = _colors(path)
    assert [color["name"] for color in found] == ["blue", "red"]
    assert found[0]["hex"] == "#005ac8"
    assert found[1]["lab"] == pytest.approx(to_lab((200, 30, 30)), abs=2), "not that of the mixture with white"
    assert [color["share"] for color in found] == pytest.approx([0.666, 0.334], abs=0.01), "weighted by opacity"
    picture.putalpha(0)
    picture.save(path)
    assert run_operator(DominantColor(), path).outputs == {"colors": []}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_format(media: RealMedia, name: str) -> None:
    names = {color["name"] for color in _colors(media.variant(name))}
    assert names <= ({"grey", "black"} if name in ("png-16", "jpeg-grey") else {"brown", "beige", "grey"})


def test_a_small_but_striking_colour_is_found() -> None:
    picture = np.full((100, 100, 3), 90, np.uint8)
    picture[:, :90] += np.linspace(0, 120, 90).astype(np.uint8)[None, :, None]
    picture[:30, 90:] = (230, 30, 30)
    found = main_colours(picture, None, 5)
    assert any(colour.lab[1] > 50 and colour.share == pytest.approx(0.03, abs=0.005) for colour in found)


def test_broken_files_and_others(broken_files: list[Path], media: RealMedia) -> None:
    codes = set()
    for path in broken_files:
        try:
            run_operator(DominantColor(), path)
        except LoomError as error:
            codes.add(error.code)
    assert codes
    assert codes <= {"FILE_TRUNCATED", "FILE_DAMAGED"}
    for path in (media.film("h264"), media.sound("mp3"), media.paper("txt")):
        assert run_operator(DominantColor(), path).state is State.SKIPPED


@pytest.mark.parametrize("options", [{"count": 0}, {"count": 17}, {"min_share": -0.1}, {"min_share": 1.1}])
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DominantColor(**options)
