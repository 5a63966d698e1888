"""Turns and scales a face so that its eyes, nose and mouth are where models expect them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

_TEMPLATE = {
    "right_eye": (38.2946, 51.6963),
    "left_eye": (73.5318, 51.5014),
    "nose": (56.0252, 71.7366),
    "mouth": (56.1396, 92.2848),
}
"""Where they are in pictures of 112 x 112 pixels, as InsightFace publishes them for ArcFace; `mouth` is the middle of
its two corners."""
_TEMPLATE_SIDE = 112
Points = np.ndarray[Any, np.dtype[np.float64]]


def aligned(picture: Image, landmarks: Mapping[str, Sequence[float]], size: tuple[int, int]) -> Image:
    """The face in a picture of `size`; `landmarks` are fractions of the picture's sides. Raises `ValueError` where they
    are none that a face can have."""
    from PIL import Image

    try:
        there = np.array([landmarks[name] for name in _TEMPLATE], float)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("the item has no landmarks of a face") from error
    if there.shape != (len(_TEMPLATE), 2) or not np.isfinite(there).all():
        raise ValueError("the item has no landmarks of a face")
    there = there * np.array(picture.size)
    wanted = np.array(list(_TEMPLATE.values())) * (np.array(size) / _TEMPLATE_SIDE)
    matrix, shift = similarity(wanted, there)
    scale = float(np.hypot(*matrix[0]))
    if not 0 < scale < max(picture.size):
        raise ValueError("the landmarks of the face are all in one place")
    if scale > 1:  # an affine transform takes single pixels, so that it must not make the picture smaller
        factor = int(scale)
        picture = picture.reduce(factor)
        matrix, shift = matrix / factor, shift / factor
    data = (*matrix[0], shift[0], *matrix[1], shift[1])
    return picture.transform(size, Image.Transform.AFFINE, data, Image.Resampling.BICUBIC)


def similarity(source: Points, target: Points) -> tuple[Points, Points]:
    """The rotation with scale, and the shift, that bring the source points nearest to the target's (Umeyama,
    Least-squares estimation of transformation parameters between two point patterns, 1991); without mirroring."""
    from_middle, to_middle = source.mean(axis=0), target.mean(axis=0)
    a, b = source - from_middle, target - to_middle
    spread = float((a**2).sum())
    cosine = float((a * b).sum()) / spread
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    matrix = np.array([[cosine, -sine], [sine, cosine]])
    return matrix, to_middle - matrix @ from_middle
