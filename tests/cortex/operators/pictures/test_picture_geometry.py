from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cortex.operators.pictures.picture_geometry import Box, Fit, Wanted, cut_out, laid_out

SIDES = st.integers(1, 3000)
POINTS = st.tuples(st.floats(0, 1), st.floats(0, 1))


@given(SIDES, SIDES, st.floats(0.01, 100), POINTS)
def test_a_shaped_part_lies_inside_and_has_the_shape(
    width: int, height: int, ratio: float, focus: tuple[float, float]
) -> None:
    box = Box(0, 0, width, height).shaped(ratio, focus, (width, height))
    assert box.width / box.height == pytest.approx(ratio)
    assert box.left >= 0
    assert box.top >= 0
    assert box.left + box.width <= width + 1e-6
    assert box.top + box.height <= height + 1e-6
    assert box.width == pytest.approx(width) or box.height == pytest.approx(height), "it is the largest"


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from(["inside", "fill", "pad", "exact"]), st.booleans(), POINTS)
def test_sizes_are_kept(
    width: int, height: int, across: int, down: int, fit: Fit, enlarge: bool, focus: tuple[float, float]
) -> None:
    size = width, height
    layout = laid_out(Box(0, 0, *size), size, Wanted(across, down, fit, enlarge), focus)
    assert layout.canvas[0] <= max(across, 1)
    assert layout.canvas[1] <= max(down, 1)
    assert 0 <= layout.at[0] <= layout.canvas[0] - layout.content[0]
    assert 0 <= layout.at[1] <= layout.canvas[1] - layout.content[1]
    assert 1 <= layout.side(size) <= max(size)
    if fit in ("pad", "exact"):
        assert layout.canvas == (across, down)
    if not enlarge and fit != "exact":
        assert layout.content[0] <= width
        assert layout.content[1] <= height
    if fit == "inside" and enlarge:
        assert layout.content[0] == across or layout.content[1] == down


def test_parts_outside_of_the_picture() -> None:
    assert Box(-5, 10, 20, 20).within((100, 20)) == Box(0, 10, 15, 10)
    assert Box(100, 0, 20, 20).within((100, 20)) is None
    assert Box(0, 0, 0.4, 20).within((100, 20)) is None


def test_what_is_cut_out_of_a_reduced_picture() -> None:
    picture = Image.new("L", (100, 50))
    picture.paste(255, (50, 0, 100, 50))
    size = 1000, 500
    layout = laid_out(Box(500, 0, 500, 500), size, Wanted(20, 20), (0.5, 0.5))
    assert layout.side(size) == 41
    part = cut_out(picture, size, layout)
    assert part.size == (20, 20)
    assert part.crop((3, 0, 20, 20)).getextrema() == (255, 255), "but for its neighbours at the edge"
    assert part.getextrema()[0] > 190  # type: ignore[operator]
