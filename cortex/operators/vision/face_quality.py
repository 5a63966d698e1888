"""How well a face is to be seen: large, sharp, from the front and well lit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from cortex.operators.pictures import picture_measures as measures

if TYPE_CHECKING:
    from PIL.Image import Image

    from cortex.operators.vision.boxes import Floats
    from cortex.operators.vision.face_models import Face

_LEAST_SIDE, _MUCH_SIDE = 16.0, 112.0
"""Pixels of the original a side: below, nobody is recognised; from 112 on, as usual embeddings take it, all of it is
there."""
_BLURRED, _SHARP = 0.2, 0.6
_FRONT, _PROFILE = 0.1, 0.5
"""How far the nose is off the middle of the eyes, in distances between them."""
_HIGH, _LOW, _NOD = 0.3, 0.75, 0.3
"""Where the nose stands between eyes (0) and mouth (1) in a face that looks ahead, and how far beyond it looks away."""
_DARK, _LIGHT = 0.15, 0.85
_MEASURED = 256


def quality(face: Face, picture: Image, enlarged: float) -> float:
    """From 0 to 1: the geometric mean of size, sharpness, frontality and exposure. `enlarged` is how many pixels of the
    original a pixel of the picture stands for."""
    grown = face.box + np.array([0, 0, 1, 1], np.float32)
    edges = np.clip(grown, 0, [picture.width, picture.height] * 2).astype(int).tolist()
    if edges[2] <= edges[0] or edges[3] <= edges[1]:
        return 0.0
    crop = picture.crop((edges[0], edges[1], edges[2], edges[3]))
    crop.thumbnail((_MEASURED, _MEASURED))
    side = float(min(face.box[2] - face.box[0], face.box[3] - face.box[1])) * enlarged
    factors = (_ramp(side, _LEAST_SIDE, _MUCH_SIDE), _sharpness(crop), frontality(face.points), _exposure(crop))
    return round(math.prod(factors) ** 0.25, 4)


def frontality(points: Floats) -> float:
    """1 for a face that looks at the camera, 0 for one in profile, or that looks up or down; how it is tilted makes no
    difference. From the points as `face_models.POINTS` has them."""
    right, left, nose, mouth = (points[at : at + 2].astype(float) for at in (0, 2, 4, 6))
    across, middle = left - right, (left + right) / 2
    eyes = float(np.hypot(*across))
    down = mouth - middle
    length = float(down @ down)
    if eyes == 0 or length == 0:
        return 0.0
    aside = abs(float((nose - middle) @ across)) / eyes**2
    height = float((nose - middle) @ down) / length
    nod = max(_HIGH - height, height - _LOW, 0.0)
    return (1 - _ramp(aside, _FRONT, _PROFILE)) * (1 - _ramp(nod, 0.0, _NOD))


def _sharpness(crop: Image) -> float:
    grey = np.asarray(crop.convert("L"))
    return _ramp(measures.sharpness(grey, measures.noise(grey)), _BLURRED, _SHARP)


def _exposure(crop: Image) -> float:
    seen = measures.exposure(crop, crop.convert("L"))
    even = min(seen.brightness / _DARK, (1 - seen.brightness) / (1 - _LIGHT), 1.0)
    return max(even - seen.shadows - seen.highlights, 0.0)


def _ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on."""
    return min(max((value - low) / (high - low), 0.0), 1.0)
