"""One decode of a picture, and the pictures of all sizes that are made of it."""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image

from cortex.media.colour import to_rgb

Size = tuple[int, int]
Box = tuple[float, float, float, float]

_FINE = 256
"""Up to so many pixels a wider gap costs next to nothing and keeps fine detail."""
_ENOUGH = 2
"""How many times larger a picture must be to make a smaller one of it that is as good as of what was decoded."""


class Decoded:
    """`image` is what a decoder gave, `complete` whether the file has no more pixels than that. Where the decoder has
    reduced a picture of `whole` pixels, `box` is the part of `image` that has it: its last row and column reach beyond.
    `icc` is the profile it came with, `orientation` EXIF's."""

    def __init__(
        self,
        image: Image.Image,
        *,
        complete: bool,
        whole: Size | None = None,
        box: Box | None = None,
        icc: bytes | None = None,
        orientation: int | None = None,
    ) -> None:
        self._image = image
        self._complete = complete
        self._whole = whole or image.size
        self._box = box
        self._icc = icc
        self._orientation = orientation
        self._made: dict[Size, Image.Image] = {}

    def serves(self, max_side: int | None) -> bool:
        """Whether nothing is gained by another decode for a picture of this size."""
        return self._complete or (max_side is not None and max(self._image.size) >= max_side)

    def at(self, max_side: int | None) -> Image.Image:
        """RGB, upright, in sRGB; the longer side at most `max_side` pixels. It is never enlarged."""
        size = self._image.size if max_side is None else fitting(self._whole, max_side)
        if max(size) >= max(self._image.size):
            size = self._image.size
        found = self._made.get(size)
        if found is None:
            found = self._made[size] = self._smaller(max(size)) or self._resampled(size)
        return found

    def opacity(self, size: Size) -> Image.Image | None:
        """How opaque the pixels are, scaled to `size`; None when the picture knows no transparency."""
        if self._image.mode not in ("RGBA", "LA"):
            return None
        known = upright(self._image.getchannel("A"), self._orientation)
        return known if known.size == size else known.resize(size, Image.Resampling.BOX)

    def _smaller(self, side: int) -> Image.Image | None:
        """Made of the smallest picture that is there already and large enough."""
        larger = [one for one in self._made.values() if max(one.size) >= _ENOUGH * side]
        if not larger:
            return None
        copy = min(larger, key=lambda one: max(one.size)).copy()
        copy.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0 if side <= _FINE else 1.0)
        return copy

    def _resampled(self, size: Size) -> Image.Image:
        image = self._image
        if size != image.size:
            image = image.resize(size, Image.Resampling.LANCZOS, self._box, reducing_gap=gap(max(size)))
        return upright(to_rgb(image, self._icc), self._orientation)


def gap(max_side: int | None) -> float:
    """How many times larger than wanted a picture is when it is resampled."""
    return 1.5 if max_side is not None and max_side <= _FINE else 1.0


def fitting(size: Size, side: int) -> Size:
    """The size of the same shape whose longer side is at most `side`, rounded as Pillow's `thumbnail` does."""
    width, height = size
    if side >= max(size):
        return size
    aspect = width / height
    if aspect <= 1:
        return _rounded(side * aspect, lambda count: abs(aspect - count / side)), side
    return side, _rounded(side / aspect, lambda count: 0 if count == 0 else abs(aspect - side / count))


def _rounded(number: float, off: Callable[[int], float]) -> int:
    return max(min(math.floor(number), math.ceil(number), key=off), 1)


def upright(image: Image.Image, orientation: int | None) -> Image.Image:
    """The picture turned as EXIF's orientation asks."""
    turn = _TURNS.get(orientation or 1)
    return image if turn is None else image.transpose(turn)


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
