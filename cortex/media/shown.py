"""One frame of a video as its readers see it, converted only to what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from PIL import Image

from cortex.media.phases import as_damage

T = TypeVar("T")
Pixels = np.ndarray[Any, np.dtype[np.uint8]]

_BASE = 320
"""Pictures up to this side are made from one of this side. It does not depend on who else looks, so that what is seen
does not either."""
_AREA = int(Interpolation.AREA)
_WHOLE_RANGE = int(ColorRange.JPEG)
_USUAL_RANGE = int(ColorRange.MPEG)
_FULL = {"src_color_range": _WHOLE_RANGE, "dst_color_range": _WHOLE_RANGE}
_GREY = {"dst_color_range": _WHOLE_RANGE}
_UNSPECIFIED = 2
"""FFmpeg's number for a colour space that is not told."""


class Planes(NamedTuple):
    """Brightness (height x width) and the two colour differences (half as high and wide, 128 is grey), 0 to 255."""

    y: Pixels
    u: Pixels
    v: Pixels


class Lens:
    """Converts the frames of one video. `aspect`: how many times wider than high a pixel is; the first frame decides
    the shape of all, whatever size later ones have."""

    def __init__(self, first: VideoFrame, aspect: float) -> None:
        self._width, self._height = first.width * aspect, float(first.height)
        self._turns = round(first.rotation / 90) % 4
        self._scalers: dict[Any, VideoReformatter] = {}

    def size(self, side: int) -> tuple[int, int]:
        """Width and height, as coded but of square pixels, with the longer one at most `side`; nothing is enlarged."""
        scale = min(1.0, side / max(self._width, self._height))
        return max(round(self._width * scale), 1), max(round(self._height * scale), 1)

    def base(self, frame: VideoFrame) -> VideoFrame:
        return self._scaled(frame, _BASE, "yuv420p", dst_color_range=_WHOLE_RANGE)

    def planes(self, base: VideoFrame, side: int) -> Planes:
        small = base if side >= _BASE else self._scaled(base, side, "yuv420p", **_FULL)
        return Planes(*(self._upright(_view(plane)) for plane in small.planes))

    def rgb(self, frame: VideoFrame, base: Callable[[], VideoFrame], side: int) -> Pixels:
        matrix = matrix_of(frame)
        if side <= _BASE:
            small = self._scaled(base(), side, "rgb24", src_colorspace=matrix, src_color_range=_WHOLE_RANGE)
        else:
            small = self._scaled(frame, side, "rgb24", src_colorspace=matrix)
        return self._upright(_view(small.planes[0], 3).reshape(small.height, small.width, 3))

    def grey(self, frame: VideoFrame, side: int) -> Pixels:
        """Of more than the base's size."""
        return self._upright(_view(self._scaled(frame, side, "gray8", **_GREY).planes[0]))

    def coded(self, frame: VideoFrame, side: int) -> VideoFrame:
        """A frame of its own for encoders."""
        width, height = (max(length & ~1, 2) for length in self.size(side))
        scaler = self._scalers.setdefault((side, "coded"), VideoReformatter())
        try:
            made = scaler.reformat(
                frame, width, height, "yuv420p", interpolation=_AREA, threads=1,
                src_colorspace=matrix_of(frame), dst_colorspace=Colorspace.ITU709, dst_color_range=_USUAL_RANGE,
            )  # fmt: skip
        except Exception as error:
            raise as_damage(error) from error
        if made is not frame and not self._turns:
            return made
        planes = [np.ascontiguousarray(self._upright(_view(plane))) for plane in made.planes]
        whole = np.concatenate([plane.reshape(-1) for plane in planes])
        return VideoFrame.from_ndarray(whole.reshape(-1, planes[0].shape[1]), "yuv420p")

    def _upright(self, pixels: Pixels) -> Pixels:
        return np.rot90(pixels, self._turns) if self._turns else pixels

    def _scaled(self, frame: VideoFrame, side: int, form: str, **colours: int | None) -> VideoFrame:
        """A scaler of its own for each size and form, since setting one up costs more than the work."""
        scaler = self._scalers.get((side, form))
        if scaler is None:
            scaler = self._scalers[side, form] = VideoReformatter()
        width, height = self.size(side)
        try:
            return scaler.reformat(frame, width, height, form, interpolation=_AREA, threads=1, **colours)
        except Exception as error:
            raise as_damage(error) from error


class Shown:
    """One frame; valid only during the reader's `update`. Arrays are uint8, upright, of square pixels, the longer side
    at most what is asked for; they are shared, so do not change them. All of one size have one shape in all frames.

    `number` counts the frames that could be decoded, from 0. `time_s` and `until_s`: from when until when it is shown,
    in seconds from the start of the file. `is_key`: whether it can be sought. `is_interlaced`: whether the file says
    so.
    """

    __slots__ = ("_base", "_frame", "_lens", "_made", "is_key", "number", "time_s", "until_s")

    def __init__(self, frame: VideoFrame, lens: Lens, number: int, time_s: float, until_s: float) -> None:
        self._frame = frame
        self._lens = lens
        self._base: VideoFrame | None = None
        self._made: dict[Any, Any] = {}
        self.number = number
        self.time_s = time_s
        self.until_s = until_s
        self.is_key = frame.key_frame

    @property
    def is_interlaced(self) -> bool:
        return self._frame.interlaced_frame

    def planes(self, side: int) -> Planes:
        """Brightness and colour, at most 320 pixels: the cheapest form."""
        return self._once(("planes", min(side, _BASE)), lambda: self._lens.planes(self._reduced(), side))

    def grey(self, side: int) -> Pixels:
        """Brightness, height x width, 0 to 255."""
        if side <= _BASE:
            return self.planes(side).y
        return self._once(("grey", side), lambda: self._lens.grey(self._frame, side))

    def rgb(self, side: int) -> Pixels:
        """Height x width x 3."""
        return self._once(("rgb", side), lambda: self._lens.rgb(self._frame, self._reduced, side))

    def picture(self, side: int) -> Image.Image:
        """The same, for Pillow, as a copy of one's own."""
        return Image.fromarray(np.ascontiguousarray(self.rgb(side)))

    def luma(self) -> Pixels:
        """Brightness as coded: every pixel, neither turned nor scaled, black at 0 or 16. Copy what is to be kept."""
        frame = self._frame
        if frame.format.name in _EIGHT_BIT and frame.planes[0].line_size > 0:
            return _view(frame.planes[0])
        return self._once("luma", lambda: _view(frame.reformat(format="gray8", threads=1).planes[0]))

    def coded(self, side: int) -> VideoFrame:
        """For encoders: YUV 4:2:0 of even width and height in BT.709, brightness from 16 to 235. Shared as arrays
        are."""
        return self._once(("coded", side), lambda: self._lens.coded(self._frame, side))

    def _reduced(self) -> VideoFrame:
        if self._base is None:
            self._base = self._lens.base(self._frame)
        return self._base

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        found: T | None = self._made.get(key)
        if found is None:
            found = self._made[key] = make()
        return found


_EIGHT_BIT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv411p", "nv12", "gray"})


def _view(plane: VideoPlane, depth: int = 1) -> Pixels:
    """The pixels of a plane where they lie, without the padding of its lines."""
    lines: Pixels = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    return lines[: plane.height, : plane.width * depth]


def matrix_of(frame: VideoFrame) -> int | None:
    """By which standard colours are told from brightness, where the file does not say: in high definition it is BT.709,
    as players take it; else FFmpeg's choice, BT.601."""
    unsaid = frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb
    return Colorspace.ITU709 if unsaid and (frame.width >= 1280 or frame.height >= 720) else None
