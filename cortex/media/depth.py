"""Pictures as they are stored: with 16 bits a channel, or in colours of their own profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import av
import numpy as np
from PIL import Image

from cortex.media.picture import FORMATS, register_heif
from cortex.media.sizes import upright
from loom.errors import LoomError

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from cortex.media.media import Media

MOST_PIXELS = 25_000_000
"""Larger pictures are not taken with 16 bits a channel: the work would need a gigabyte."""

Deep = np.ndarray[Any, np.dtype[np.uint16]]
"""Height x width x channels: grey, grey and opacity, red green blue, or these and opacity; 0 to 65535."""

_DEMUXERS = {"image/png": "png_pipe", "image/tiff": "tiff_pipe"}
_PNG_DEPTH_AT = 24
_BITS, _PHOTOMETRIC, _EXTRA, _FORM = 258, 262, 338, 339
_AS_THEY_ARE = frozenset({"RGB", "RGBA", "L", "LA"})
_TURNED_BY_THEIR_DECODER = frozenset({"TIFF", "HEIF"})
_FLIPS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (1, True), 6: (3, False), 7: (3, True), 8: (1, False)}
"""Of an EXIF orientation: how often to turn by 90 degrees to the left, and whether to mirror left and right before."""


def deep_pixels(media: Media) -> Deep | None:
    """A PNG or TIFF picture of 16 bits a channel, upright; None for all others. What is damaged is not told from what
    is not: ask for `media.image` first."""
    probe = media.probe()
    width, height = probe.width or 0, probe.height or 0
    if not width * height or width * height > MOST_PIXELS or not _is_deep(media):
        return None
    try:
        with media.open() as file, av.open(file, "r", format=_DEMUXERS[media.mime]) as container:
            pixels = _array(next(container.decode(video=0)))
    except (av.FFmpegError, StopIteration):
        return None
    if pixels is None:
        return None
    turns, mirrored = _FLIPS.get(probe.orientation or 1, (0, False))
    turned = np.rot90(pixels[:, ::-1] if mirrored else pixels, turns)
    return turned if turned.shape[:2] == (height, width) else None


def unconverted(media: Media, max_side: int) -> Image.Image | None:
    """The picture in the colours of its own profile (`probe().icc`), upright, in grey or RGB, with its opacity if it
    has one; the longer side at most `max_side` pixels. None for what is stored in another way."""
    formats = FORMATS.get(media.mime)
    if formats is None:
        return None
    register_heif(formats)
    with media.open() as file:
        image = Image.open(file, formats=formats)
        if image.mode not in _AS_THEY_ARE or "transparency" in image.info:
            return None
        orientation = None if image.format in _TURNED_BY_THEIR_DECODER else media.probe().orientation
        if max(image.size) > max_side:
            image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS, reducing_gap=1.0)
        image.load()
        return upright(image.copy(), orientation)


def _is_deep(media: Media) -> bool:
    if media.mime not in _DEMUXERS:
        return False
    with media.open() as file:
        if media.mime == "image/png":
            return file.read(_PNG_DEPTH_AT + 1)[-1] == 16
        try:
            tags: Any = getattr(Image.open(file, formats=("TIFF",)), "tag_v2", {})
        except (OSError, Image.DecompressionBombError) as error:
            raise LoomError("FILE_DAMAGED", f"the directory of the file cannot be read: {error}") from error
        bits, extra = _numbers(tags, _BITS), _numbers(tags, _EXTRA)
        is_plain = tags.get(_PHOTOMETRIC) in (1, 2) and set(_numbers(tags, _FORM)) <= {1}
        return is_plain and set(bits) == {16} and (len(bits) in (1, 3) or (len(bits) == 4 and extra == (2,)))


def _numbers(tags: Any, tag: int) -> tuple[int, ...]:
    value = tags.get(tag, ())
    return value if isinstance(value, tuple) else (value,)


def _array(frame: VideoFrame) -> Deep | None:
    channels = _CHANNELS.get(frame.format.name[:-2])
    if channels is None:
        return None
    order = ">u2" if frame.format.name.endswith("be") else "<u2"
    lines = np.frombuffer(frame.planes[0], order).reshape(-1, frame.planes[0].line_size // 2)  # type: ignore[call-overload]
    pixels = lines[: frame.height, : frame.width * channels].reshape(frame.height, frame.width, channels)
    return np.asarray(pixels.astype(np.uint16))


_CHANNELS = {"gray16": 1, "ya16": 2, "rgb48": 3, "rgba64": 4}
