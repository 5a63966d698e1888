"""Which part of a picture a thumbnail of another shape shows."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from PIL import Image

from cortex.operators.picture_geometry import Box, Focus, Size, Wanted, cut_out, laid_out

_LOOKED_AT = 128


def side_for(size: Size, ratio: float, wanted: int) -> int:
    """How large the longer side of a picture of `size` must be decoded, so that its part has `wanted` pixels."""
    box = Box(0, 0, *size).shaped(ratio, (0.5, 0.5), size)
    return laid_out(box, size, Wanted(wanted, wanted), (0.5, 0.5)).side(size)


def cropped(picture: Image.Image, ratio: float, focus: Literal["center", "detail"] | Focus, size: int) -> Image.Image:
    """The largest part that is `ratio` times as wide as high, its longer side at most `size` pixels."""
    if focus == "center":
        point = 0.5, 0.5
    elif focus == "detail":
        point = most_detailed(picture, ratio)
    else:
        point = focus
    box = Box(0, 0, *picture.size).shaped(ratio, point, picture.size)
    return cut_out(picture, picture.size, laid_out(box, picture.size, Wanted(size, size), point))


def most_detailed(picture: Image.Image, ratio: float) -> Focus:
    """The middle, in fractions, of the part of this shape in which neighbouring pixels differ most; of equal ones that
    which is nearest to the middle of the picture."""
    small = picture.convert("L")
    small.thumbnail((_LOOKED_AT, _LOOKED_AT), Image.Resampling.BOX)
    grey = np.asarray(small, np.float32)
    detail = np.zeros_like(grey)
    detail[:, 1:] += np.abs(np.diff(grey, axis=1))
    detail[1:] += np.abs(np.diff(grey, axis=0))
    part = Box(0, 0, *small.size).shaped(ratio, (0.5, 0.5), small.size)
    across = _best(detail.sum(axis=0), max(round(part.width), 1))
    return across, _best(detail.sum(axis=1), max(round(part.height), 1))


def _best(amounts: np.ndarray[Any, np.dtype[np.float32]], length: int) -> float:
    """The middle of the stretch of `length` with the largest sum, as a fraction."""
    sums = np.convolve(amounts, np.ones(length, np.float32), "valid")
    starts = np.flatnonzero(sums >= sums.max() * (1 - 1e-5))
    middles = (starts + length / 2) / len(amounts)
    return float(middles[np.abs(middles - 0.5).argmin()])
