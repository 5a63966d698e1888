"""Where a mark stands on a picture, and how large it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from PIL.Image import Image

_TALLEST = 0.5
_PLACES = {"left": 0.0, "center": 0.5, "right": 1.0, "top": 0.0, "middle": 0.5, "bottom": 1.0}

Position = Literal[
    "top left", "top center", "top right", "middle left", "middle center", "middle right",
    "bottom left", "bottom center", "bottom right",
]  # fmt: skip


class Place(NamedTuple):
    """`width` as a fraction of the picture's, `margin` as one of its shorter side."""

    position: Position
    width: float
    margin: float

    def laid_out(self, mark: Image, canvas: tuple[int, int]) -> tuple[tuple[int, int], Image]:
        """Left and top of the mark on a picture of that size, and the mark as large as it is there."""
        from PIL import Image

        margin = round(min(canvas) * self.margin)
        room = max(canvas[0] - 2 * margin, 1), max(canvas[1] - 2 * margin, 1)
        limits = min(canvas[0] * self.width, room[0]), min(canvas[1] * _TALLEST, room[1])
        scale = min(limits[0] / mark.width, limits[1] / mark.height)
        size = max(round(mark.width * scale), 1), max(round(mark.height * scale), 1)
        vertical, horizontal = self.position.split()
        left = margin + round((room[0] - size[0]) * _PLACES[horizontal])
        top = margin + round((room[1] - size[1]) * _PLACES[vertical])
        return (left, top), mark.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
