"""Which part of a picture is shown, and how large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

Fit = Literal["inside", "fill", "pad", "exact"]
Focus = tuple[float, float]
Size = tuple[int, int]


class Box(NamedTuple):
    """A part of a picture, in its own pixels."""

    left: float
    top: float
    width: float
    height: float

    def within(self, size: Size) -> Box | None:
        """What of it lies in the picture; None for nothing."""
        left, top = max(self.left, 0.0), max(self.top, 0.0)
        right, bottom = min(self.left + self.width, size[0]), min(self.top + self.height, size[1])
        return Box(left, top, right - left, bottom - top) if right - left >= 1 and bottom - top >= 1 else None

    def shaped(self, ratio: float, focus: Focus, size: Size) -> Box:
        """The largest part of it that is `ratio` times as wide as high, with the point `focus` (fractions of the whole
        picture of `size`) as near to its middle as may be."""
        width, height = min(self.width, self.height * ratio), min(self.height, self.width / ratio)
        left = _between(focus[0] * size[0] - width / 2, self.left, self.left + self.width - width)
        top = _between(focus[1] * size[1] - height / 2, self.top, self.top + self.height - height)
        return Box(left, top, width, height)


class Wanted(NamedTuple):
    """The size that is asked for, None for what follows from the other side, and how it is come by."""

    width: int | None = None
    height: int | None = None
    fit: Fit = "inside"
    enlarge: bool = False


class Layout(NamedTuple):
    """`box` of the original is shown with `content` pixels, at `at` of a picture of `canvas` pixels."""

    box: Box
    content: Size
    canvas: Size
    at: tuple[int, int]

    def side(self, size: Size) -> int:
        """How large the longer side of a picture of `size` must be decoded for it."""
        scale = max(self.content[0] / self.box.width, self.content[1] / self.box.height)
        return max(size) if scale >= 1 else min(int(max(size) * scale) + 1, max(size))


def laid_out(box: Box, size: Size, wanted: Wanted, focus: Focus) -> Layout:
    """`fill`, `pad` and `exact` need both sides."""
    width, height = wanted.width, wanted.height
    if width is None and height is None:
        content = _whole(box.width, box.height)
        return Layout(box, content, content, (0, 0))
    if wanted.fit == "exact" and width and height:
        return Layout(box, (width, height), (width, height), (0, 0))
    if wanted.fit == "fill" and width and height:
        box = box.shaped(width / height, focus, size)
    scale = min(one / other for one, other in ((width, box.width), (height, box.height)) if one is not None)
    if not wanted.enlarge:
        scale = min(scale, 1.0)
    content = _whole(box.width * scale, box.height * scale)
    if wanted.fit == "pad" and width and height:
        return Layout(box, content, (width, height), ((width - content[0]) // 2, (height - content[1]) // 2))
    return Layout(box, content, content, (0, 0))


def cut_out(picture: Image, size: Size, layout: Layout) -> Image:
    """The content of the layout, as a picture of its own; `picture` shows the whole of one of `size` pixels, itself of
    that size or smaller."""
    from PIL import Image

    across, down = picture.width / size[0], picture.height / size[1]
    left, top, width, height = layout.box
    right, bottom = min((left + width) * across, picture.width), min((top + height) * down, picture.height)
    box = left * across, top * down, right, bottom
    if picture.size == layout.content and box == (0, 0, *picture.size):
        return picture.copy()
    return picture.resize(layout.content, Image.Resampling.LANCZOS, box=box)


def _whole(width: float, height: float) -> Size:
    return max(round(width), 1), max(round(height), 1)


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
