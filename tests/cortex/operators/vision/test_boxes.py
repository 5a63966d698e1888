from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cortex.operators.vision.boxes import best, covered, fit, shares, stretch


def test_of_boxes_that_overlap_the_best_is_kept() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30], [0, 0, 10, 10]], np.float32)
    scores = np.array([0.6, 0.9, 0.3, 0.5], np.float32)
    assert best(boxes, scores, 0.5) == [1, 2]
    assert best(boxes, scores, 0.9) == [1, 0, 2]
    assert best(boxes[:0], scores[:0], 0.5) == []


def test_shares_and_cover() -> None:
    one = np.array([0, 0, 10, 10], np.float32)
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [2, 2, 4, 4], [20, 20, 30, 30]], np.float32)
    assert shares(one, others) == pytest.approx([1, 1 / 3, 0.04, 0], abs=1e-6)
    assert covered(one, others) == pytest.approx([1, 0.5, 1, 0], abs=1e-6)


@pytest.mark.parametrize("size", [(300, 100), (100, 300), (64, 64), (1, 500), (30, 20)])
def test_points_of_the_frame_come_back_to_the_picture(size: tuple[int, int]) -> None:
    """A white dot in a corner is in the frame where its coordinates say."""
    picture = Image.new("RGB", size, "white")
    for made in (fit(picture, 96, 64), stretch(picture, 96, 64)):
        assert made.picture.size == (96, 64)
        lit = np.argwhere(np.asarray(made.picture.convert("L")) > 128)
        top, left = lit.min(axis=0)
        bottom, right = lit.max(axis=0) + 1
        corners = made.back(np.array([[left, top, right, bottom]], np.float32))
        assert corners[0] == pytest.approx([0, 0, *size], abs=1 + max(size) / 64)


def test_a_fitted_picture_keeps_its_shape_and_gets_edges() -> None:
    made = fit(Image.new("RGB", (200, 100), "white"), 64, 64, (9, 9, 9))
    assert (made.left, made.top) == (0, 16)
    assert made.picture.getpixel((32, 2)) == (9, 9, 9)
    assert made.picture.getpixel((32, 32)) == (255, 255, 255)
