"""Pictures of 16 bits a channel: cut, resized, padded and written, which Pillow does in 8 bits only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageColor

from cortex.operators.pictures.picture_geometry import Layout, Size, cut_out

if TYPE_CHECKING:
    from cortex.media.depth import Deep
    from cortex.operators.pictures.picture_files import Encoding

_MOST = 65_535


def edited(pixels: Deep, size: Size, layout: Layout, background: str) -> Deep:
    """What `layout` says, on `background` (`#rrggbb` or `transparent`) where the canvas is larger."""
    return _on_canvas(_cut_out(pixels, size, layout), layout, background)


def encoded(pixels: Deep, how: Encoding, *, is_grey: bool) -> bytes:
    """A PNG or TIFF file; of what the original says of itself, TIFF has XMP and the profile. `is_grey`: the profile is
    one of grey pictures."""
    from cortex.operators.pictures.picture_files import exif_of, srgb_profile, xmp_of
    from cortex.operators.pictures.png16 import png_of
    from cortex.operators.pictures.tiff16 import tiff_of

    if how.form == "tiff" and pixels.shape[2] == 2:  # few programs read grey with opacity
        pixels = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
    about, has_colours = how.about, pixels.shape[2] >= 3
    profile = how.icc if is_grey is not has_colours else None
    if profile is None and about is not None and has_colours:
        profile = srgb_profile()
    xmp = None if about is None else xmp_of(about)
    if how.form == "tiff":
        return tiff_of(pixels, profile, xmp)
    exif = None if about is None else exif_of(about, (pixels.shape[1], pixels.shape[0]))
    return png_of(pixels, profile, exif, xmp)


def _cut_out(pixels: Deep, size: Size, layout: Layout) -> Deep:
    channels = pixels.shape[2]
    has_opacity = channels in (2, 4)
    opacity = pixels[..., -1:].astype(np.float32) / _MOST if has_opacity else None
    planes = []
    for channel in range(channels):
        plane = pixels[..., channel].astype(np.float32)
        if opacity is not None and channel < channels - 1:
            plane *= opacity[..., 0]  # so that colours that cannot be seen do not shine into others
        planes.append(np.asarray(cut_out(Image.fromarray(plane), size, layout)))
    if opacity is not None:
        planes[:-1] = [plane * (_MOST / np.maximum(planes[-1], 1)) for plane in planes[:-1]]
    return np.asarray(np.clip(np.rint(np.stack(planes, axis=2)), 0, _MOST).astype(np.uint16))


def _on_canvas(part: Deep, layout: Layout, background: str) -> Deep:
    width, height = layout.canvas
    if part.shape[:2] == (height, width):
        return part
    is_clear = background == "transparent"
    colour = [255, 255, 255] if is_clear else list(ImageColor.getrgb(background)[:3])
    if part.shape[2] < 3 and len(set(colour)) > 1:
        part = np.concatenate([np.repeat(part[..., :1], 3, axis=2), part[..., 1:]], axis=2)
    if is_clear and part.shape[2] in (1, 3):
        part = np.concatenate([part, np.full((*part.shape[:2], 1), _MOST, np.uint16)], axis=2)
    channels = part.shape[2]
    ground: list[Any] = [value * 257 for value in (colour if channels >= 3 else colour[:1])]
    if channels in (2, 4):
        ground.append(0 if is_clear else _MOST)
    canvas = np.full((height, width, channels), np.array(ground, np.uint16), np.uint16)
    left, top = layout.at
    canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
    return canvas
