"""Texts and pictures made ready to be laid over others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor, ImageDraw, ImageFont

from cortex.media import Media
from cortex.media.wants import Wants
from cortex.operators.pictures.picture_files import with_opacity
from loom.errors import LoomError

_MOST = 4096
_FONT_SIZE = 200
"""A text is drawn once at this size and then scaled."""
_STROKE = 8
_NO_CHARACTER = "\U0010fffd"


def picture(path: str) -> Image.Image:
    """The picture in RGBA, at most 4096 pixels a side. Raises REQUIREMENT_MISSING when it cannot be read."""
    try:
        with Media.open_path(os.fsencode(Path(path).expanduser()), Wants(image_side=_MOST)) as media:
            shown, opacity = media.image(_MOST), media.opacity(_MOST)
            return shown.convert("RGBA") if opacity is None else with_opacity(shown, opacity)
    except LoomError as error:
        raise LoomError("REQUIREMENT_MISSING", f"the picture {path!r} cannot be used: {error.message}") from error


def text(words: str, color: str, font_path: str | None) -> Image.Image:
    """The text in RGBA, cut to what is drawn, with an outline in black or white. Raises REQUIREMENT_MISSING for a font
    that cannot be read or lacks a character."""
    font = _font(font_path, words)
    red, green, blue = ImageColor.getrgb(color)[:3]
    is_light = 0.299 * red + 0.587 * green + 0.114 * blue >= 128
    drawn: dict[str, Any] = {"font": font, "stroke_width": _STROKE, "align": "center"}
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).multiline_textbbox((0, 0), words, **drawn)
    mark = Image.new("RGBA", (max(round(right - left), 1), max(round(bottom - top), 1)), (0, 0, 0, 0))
    outline = (0, 0, 0, 255) if is_light else (255, 255, 255, 255)
    ImageDraw.Draw(mark).multiline_text(
        (-left, -top), words, fill=(red, green, blue, 255), stroke_fill=outline, **drawn
    )
    return mark


def _font(path: str | None, words: str) -> Any:
    if path is None:
        return ImageFont.load_default(_FONT_SIZE)
    try:
        font = ImageFont.truetype(Path(path).expanduser(), _FONT_SIZE)
    except (OSError, ValueError) as error:
        raise LoomError("REQUIREMENT_MISSING", f"the font {path!r} cannot be used: {error}") from error
    missing = bytes(font.getmask(_NO_CHARACTER))
    for character in sorted(set(words)):
        if not character.isspace() and bytes(font.getmask(character)) == missing:
            raise LoomError("REQUIREMENT_MISSING", f"the font {path!r} has no {character!r}")
    return font
