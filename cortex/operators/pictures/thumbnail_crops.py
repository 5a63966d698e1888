"""Which part of a picture a thumbnail of another shape shows."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from PIL import Image

from cortex.operators.pictures.picture_geometry import Box, Focus, Size, Wanted, cut_out, laid_out

_LOOKED_AT = 128
_ROOM = 0.25
"""Beside a face, as a part of its width and height."""


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


def around(faces: Any, ratio: float, size: Size) -> Focus | None:
    """The middle, in fractions, of the part of this shape that keeps most of the faces, as `vision.faces` tells them
    (`box`: left, top, width and height in fractions); None for none. Large faces count for more."""
    boxes = [face["box"] for face in faces if isinstance(face, dict) and _is_box(face.get("box"))] if faces else []
    if not boxes:
        return None
    part = Box(0, 0, *size).shaped(ratio, (0.5, 0.5), size)
    weights = [box[2] * box[3] for box in boxes]
    across, down = (
        _keeping(
            [(box[at] - _ROOM * box[at + 2], box[at] + (1 + _ROOM) * box[at + 2]) for box in boxes], weights, length
        )
        for at, length in ((0, part.width / size[0]), (1, part.height / size[1]))
    )
    return across, down


def _is_box(box: Any) -> bool:
    return isinstance(box, list) and len(box) == 4 and all(isinstance(one, int | float) for one in box)


def _keeping(stretches: list[tuple[float, float]], weights: list[float], length: float) -> float:
    """The middle of the stretch of `length`, between 0 and 1, in which the most of the others lies; of equal ones of
    that which is nearest to the middle of what lies in it."""
    stretches = [(max(low, 0.0), min(high, 1.0)) for low, high in stretches]
    whole = min(low for low, _ in stretches), max(high for _, high in stretches)
    ends = [whole[0] + (whole[1] - whole[0] - length) / 2]
    ends += [place for low, high in stretches for place in (low, high - length, (low + high - length) / 2)]
    starts = [min(max(start, 0.0), 1 - length) for start in ends]

    def kept(start: float) -> float:
        shares = (
            max(min(high, start + length) - max(low, start), 0.0) / max(high - low, 1e-9) for low, high in stretches
        )
        return round(sum(weight * share**2 for weight, share in zip(weights, shares, strict=True)), 9)

    middle = sum(whole) / 2
    return max(starts, key=lambda start: (kept(start), -abs(start + length / 2 - middle))) + length / 2


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
