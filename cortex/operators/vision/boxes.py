"""Rectangles in pictures: fitting a picture into a square, and keeping one box of each thing that was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = np.ndarray[Any, np.dtype[np.float32]]
"""Boxes are rows of left, top, right and bottom."""
_LEAST = np.float32(1e-9)


class Fitted(NamedTuple):
    """A picture in the middle of a frame of another shape; `scale` is how much wider and higher it is there."""

    picture: Image
    scale: tuple[float, float]
    left: int
    top: int

    def back(self, points: Floats) -> Floats:
        """Points of the frame, as x and y in turns along the last axis, in pixels of the picture that was put in."""
        times = points.shape[-1] // 2
        offset = np.tile(np.array([self.left, self.top], np.float32), times)
        return np.asarray((points - offset) / np.tile(np.array(self.scale, np.float32), times), np.float32)


def fit(picture: Image, width: int, height: int, fill: tuple[int, int, int] = (0, 0, 0)) -> Fitted:
    """The picture as large as it can be in a frame of that size, with `fill` around it."""
    from PIL import Image

    scale = min(width / picture.width, height / picture.height)
    size = max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    frame = Image.new("RGB", (width, height), fill)
    frame.paste(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0), (left, top))
    return Fitted(frame, (scale, scale), left, top)


def stretch(picture: Image, width: int, height: int) -> Fitted:
    """The picture as large as the frame, whatever its shape."""
    from PIL import Image

    scale = width / picture.width, height / picture.height
    return Fitted(picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0), scale, 0, 0)


def shares(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box with each of others."""
    return np.asarray(_common(box, boxes) / np.maximum(_area(boxes) + _area(box) - _common(box, boxes), _LEAST))


def covered(box: Floats, boxes: Floats) -> Floats:
    """The intersection of one box with each of others, as a share of the smaller of both."""
    return np.asarray(_common(box, boxes) / np.maximum(np.minimum(_area(boxes), _area(box)), _LEAST))


def best(boxes: Floats, scores: Floats, most: float) -> list[int]:
    """Which boxes to keep, by falling score: none of those that share more than `most` with a better one (greedy
    non-maximum suppression)."""
    kept: list[int] = []
    left = np.argsort(-scores, kind="stable")
    while len(left):
        first, left = int(left[0]), left[1:]
        kept.append(first)
        left = left[shares(boxes[first], boxes[left]) <= most]
    return kept


def _common(box: Floats, boxes: Floats) -> Floats:
    sides = np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])
    return np.asarray(np.maximum(sides, 0).prod(axis=1))


def _area(boxes: Floats) -> Floats:
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]))
