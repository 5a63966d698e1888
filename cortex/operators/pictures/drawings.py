"""Pictures that consist of lines to be drawn, not of pixels: no decoder for them is part of the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cortex.media import Media

_DRAWINGS = frozenset({"image/svg+xml", "image/wmf", "image/emf"})


def has_pixels(media: Media) -> bool:
    return media.mime not in _DRAWINGS
