from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cortex.operators.vision.face_alignment import aligned, similarity

WANTED = {"right_eye": (38.3, 51.7), "left_eye": (73.5, 51.5), "nose": (56.0, 71.7), "mouth": (56.1, 92.3)}


def test_a_rotation_with_scale_is_found_again() -> None:
    source = np.array([[0, 0], [1, 0], [1, 1], [0, 2]], float)
    angle, scale, shift = 0.7, 3.0, np.array([5, -2])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix, moved = similarity(source, source @ turn.T + shift)
    assert matrix == pytest.approx(turn)
    assert moved == pytest.approx(shift)


@pytest.mark.parametrize("angle", [0, 30, -75, 180])
@pytest.mark.parametrize("scale", [0.5, 1.0, 6.0])
def test_eyes_nose_and_mouth_come_to_where_models_expect_them(angle: float, scale: float) -> None:
    """Four dots of different colours, somewhere in a picture, turned and large or small."""
    side = round(160 * scale) + 200
    picture = Image.new("RGB", (side, side), "white")
    around = np.array([side / 2, side / 2])
    turn = np.deg2rad(angle)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    colours = {"right_eye": (255, 0, 0), "left_eye": (0, 255, 0), "nose": (0, 0, 255), "mouth": (0, 0, 0)}
    marks = {}
    for name, place in WANTED.items():
        x, y = matrix @ (np.array(place) - 56) + around
        radius = 5 * scale
        ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colours[name])
        marks[name] = [x / side, y / side]
    face = aligned(picture, marks, (112, 112))
    assert face.size == (112, 112)
    pixels = np.asarray(face, int)
    for name, place in WANTED.items():
        there = np.argwhere(np.abs(pixels - colours[name]).sum(axis=2) < 120)
        assert there.mean(axis=0)[::-1] == pytest.approx(place, abs=2), name


@pytest.mark.parametrize(
    "marks",
    [
        {},
        {"right_eye": [0.1, 0.1]},
        {name: [0.5, 0.5] for name in WANTED},
        dict.fromkeys(WANTED, "here"),
        {name: [float("nan"), 0.5] for name in WANTED},
        {name: [0.1, 0.2, 0.3] for name in WANTED},
    ],
)
def test_what_is_no_face(marks: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match="landmarks"):
        aligned(Image.new("RGB", (100, 100)), marks, (112, 112))
