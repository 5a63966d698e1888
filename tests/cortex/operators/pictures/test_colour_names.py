from __future__ import annotations

import pytest
from PIL import ImageColor

from cortex.operators.pictures.cielab import to_lab, to_rgb
from cortex.operators.pictures.colour_names import name_of
from loom.model import Colour
from loom.store.colours import lab_of

NAMED = {
    "black": ["black", "#0b0504", "#101020"],
    "grey": ["gray", "silver", "dimgray", "#4f4f4f", "#3c3a38"],
    "white": ["white", "ivory", "snow", "whitesmoke"],
    "red": ["red", "crimson", "firebrick", "maroon", "tomato", "darkred"],
    "pink": ["pink", "hotpink", "deeppink", "salmon", "lightcoral"],
    "orange": ["orange", "darkorange", "orangered", "coral", "sandybrown"],
    "brown": ["saddlebrown", "sienna", "chocolate", "#4a3b2c", "#7a4d31"],
    "beige": ["beige", "tan", "wheat", "bisque", "#ebe3c4", "#e0ac85"],
    "yellow": ["yellow", "gold", "khaki", "goldenrod"],
    "green": ["green", "lime", "olive", "forestgreen", "seagreen", "#8f987f"],
    "turquoise": ["turquoise", "teal", "cyan", "aquamarine", "lightseagreen"],
    "blue": ["blue", "navy", "skyblue", "royalblue", "steelblue", "#304a9d", "lightblue"],
    "purple": ["purple", "indigo", "violet", "orchid", "blueviolet", "mediumpurple", "magenta"],
}


@pytest.mark.parametrize("name", NAMED)
def test_colours_are_called_what_people_call_them(name: str) -> None:
    called = {shade: name_of(*to_lab(ImageColor.getrgb(shade))).value for shade in NAMED[name]}
    assert called == dict.fromkeys(NAMED[name], name)


def test_every_name_is_given() -> None:
    assert set(NAMED) == set(map(str, Colour))


def test_colours_of_the_standard() -> None:
    """White, black, and the corners as Lindbloom's calculator gives them."""
    assert to_lab((255, 255, 255)) == pytest.approx((100, 0, 0), abs=0.01)
    assert to_lab((0, 0, 0)) == pytest.approx((0, 0, 0), abs=0.01)
    assert to_lab((255, 0, 0)) == pytest.approx((53.24, 80.09, 67.20), abs=0.01)
    assert to_lab((0, 0, 255)) == pytest.approx((32.30, 79.19, -107.86), abs=0.01)
    assert to_lab((119, 119, 119)) == pytest.approx((50.03, 0, 0), abs=0.01)


@pytest.mark.parametrize("shade", ImageColor.colormap)
def test_there_and_back_and_as_loom_does_it(shade: str) -> None:
    red, green, blue = ImageColor.getrgb(shade)[:3]
    lab = to_lab((red, green, blue))
    assert to_rgb(lab).tolist() == [red, green, blue]
    assert lab_of(f"#{red:02x}{green:02X}{blue:02x}") == pytest.approx(lab, abs=1e-6)
