"""A mark over every frame of a film, while it is encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from av.video.frame import VideoFrame
from PIL import Image

from cortex.operators.films.transcode_tracks import Encoding, PictureEncoder
from cortex.operators.pictures.watermark_places import Place

if TYPE_CHECKING:
    from cortex.media.shown import Shown

_ALPHA_BITS = 8
_OPAQUE = 1 << _ALPHA_BITS
_TO_BT709 = np.array(
    [[0.1826, 0.6142, 0.0620], [-0.1006, -0.3386, 0.4392], [0.4392, -0.3989, -0.0403]], np.float32
)  # ITU-R BT.709, brightness 16 to 235
_OFFSET = np.array([16, 128, 128], np.float32)


class _Layer(NamedTuple):
    """What is laid over one plane: `keeps` of what is there (of 256), and `adds`."""

    left: int
    top: int
    keeps: np.ndarray[Any, np.dtype[np.uint16]]
    adds: np.ndarray[Any, np.dtype[np.uint16]]

    def over(self, plane: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
        height, width = self.keeps.shape
        part = plane[self.top : self.top + height, self.left : self.left + width]
        part[:] = (part * self.keeps + self.adds) >> _ALPHA_BITS


class MarkedEncoder(PictureEncoder):
    """Encodes frames with a mark (RGBA) on each. `box`: left, top, width and height of the mark, None before the first
    frame."""

    def __init__(self, encoding: Encoding, side: int, most: int, mark: Image.Image, place: Place) -> None:
        super().__init__(encoding, side, None, most)
        self.box: tuple[int, int, int, int] | None = None
        self._mark = mark
        self._place = place
        self._layers: list[_Layer] = []

    def _frame(self, shown: Shown) -> VideoFrame:
        """A copy, since others look at the same frame."""
        frame = super()._frame(shown)
        if self.box is None:
            (left, top), mark = self._place.laid_out(self._mark, (frame.width, frame.height))
            self.box = left, top, mark.width, mark.height
            self._layers = layers(mark, left, top, (frame.width, frame.height))
        marked = VideoFrame(frame.width, frame.height, "yuv420p")
        for old, new, layer in zip(frame.planes, marked.planes, self._layers, strict=True):
            pixels = _pixels(new)
            pixels[:] = _pixels(old)
            layer.over(pixels)
        marked.colorspace, marked.color_range = frame.colorspace, frame.color_range
        return marked


def layers(mark: Image.Image, left: int, top: int, canvas: tuple[int, int]) -> list[_Layer]:
    """The mark at that place of a picture in YUV 4:2:0 of even width and height: what goes over each of its planes."""
    start = left & ~1, top & ~1
    end = min((left + mark.width + 1) & ~1, canvas[0]), min((top + mark.height + 1) & ~1, canvas[1])
    whole = Image.new("RGBA", (end[0] - start[0], end[1] - start[1]))
    whole.paste(mark, (left - start[0], top - start[1]))
    pixels = np.asarray(whole, np.float32)
    opacity = pixels[..., 3:] / 255
    colours = (pixels[..., :3] @ _TO_BT709.T + _OFFSET) * opacity
    small_opacity, small_colours = _halved(opacity), _halved(colours)
    brightness = _layer(*start, opacity[..., 0], colours[..., 0])
    halves = start[0] // 2, start[1] // 2
    return [brightness, *(_layer(*halves, small_opacity[..., 0], small_colours[..., plane]) for plane in (1, 2))]


def _layer(left: int, top: int, opacity: Any, colour: Any) -> _Layer:
    """`colour` is as strong as it is opaque."""
    keeps = _OPAQUE - np.rint(opacity * _OPAQUE)
    adds = np.rint(colour * _OPAQUE) + _OPAQUE / 2
    return _Layer(left, top, keeps.astype(np.uint16), adds.astype(np.uint16))


def _halved(values: Any) -> Any:
    height, width, depth = values.shape
    return values.reshape(height // 2, 2, width // 2, 2, depth).mean(axis=(1, 3))


def _pixels(plane: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    lines: np.ndarray[Any, np.dtype[np.uint8]] = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return lines[: plane.height, : plane.width]
