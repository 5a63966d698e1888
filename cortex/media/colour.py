"""Every mode and colour space that Pillow decodes to, made RGB in sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

from PIL import Image, ImageCms

_PLAIN = frozenset({"RGB", "RGBA", "L", "LA", "CMYK", "LAB", "RGBX", "YCbCr"})
_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}
WHITE = (255, 255, 255)


def resizable(image: Image.Image) -> Image.Image:
    """The picture in a mode that can be resampled and holds eight bits a channel."""
    mode = image.mode
    if mode in _PLAIN:
        if mode in ("RGB", "L") and "transparency" in image.info:
            return image.convert("RGBA")
        return image
    if mode == "P":
        return image.convert("RGBA" if "transparency" in image.info or image.has_transparency_data else "RGB")
    if mode in ("PA", "La", "RGBa"):
        return image.convert("RGBA")
    if mode == "F" or mode.startswith("I"):
        return _eight_bits(image)
    return image.convert("L" if mode == "1" else "RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit grey loses its lower byte; wider integers and floats, which have no fixed white, are stretched over the
    range they use, unless they fit 0 to 1 or 16 bits."""
    import numpy

    values = numpy.asarray(image)
    if image.mode.startswith("I;16"):
        return Image.fromarray((values >> 8).astype(numpy.uint8))
    values = numpy.nan_to_num(values.astype(numpy.float32), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if image.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif low >= 0 and high <= 65535:
        low, high = 0.0, 255.0 if high <= 255 else 65535.0
    scaled = (values - low) * (255.0 / ((high - low) or 1.0))
    return Image.fromarray(scaled.astype(numpy.uint8))


def to_rgb(image: Image.Image, icc: bytes | None) -> Image.Image:
    """RGB in sRGB, transparent parts on white. `icc` is the profile the picture came with; one that does not fit the
    picture or is damaged is left out of account, as viewers do."""
    image = flattened(image)
    if icc and (transform := _transform(icc, image.mode)) is not None:
        return ImageCms.applyTransform(image, transform) or image
    return image if image.mode == "RGB" else image.convert("RGB")


def space_of(icc: bytes | None) -> str | None:
    """Which colours a profile is of, such as `RGB` or `GRAY`; None for none, or for one of no use."""
    if not icc:
        return None
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc)).profile.xcolor_space.strip()
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def is_converted(icc: bytes | None, mode: str) -> bool:
    """Whether `to_rgb` makes other colours of a picture of that mode, RGB or L, with this profile."""
    return bool(icc) and _transform(icc or b"", mode) is not None


def flattened(image: Image.Image) -> Image.Image:
    """Without transparency."""
    if image.mode not in ("RGBA", "LA"):
        return image
    picture = image.convert("RGBA")
    white = Image.new("RGB", picture.size, WHITE)
    white.paste(picture, mask=picture.getchannel("A"))
    return white


@lru_cache(maxsize=8)
def _transform(icc: bytes, mode: str) -> Any:
    """How to come from a profile to sRGB; None when nothing needs to be done or the profile is of no use."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        description = profile.profile.profile_description or ""
        if profile.profile.xcolor_space.strip() != _SPACES.get(mode) or "srgb" in description.lower():
            return None
        return ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
