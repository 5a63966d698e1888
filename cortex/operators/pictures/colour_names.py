"""What a colour is called: one of few plain names, by its place in CIE L*a*b*."""

from __future__ import annotations

from math import atan2, degrees, hypot

from loom.model import Colour

_GREYISH = 9.0
"""Chroma below which nobody sees a hue."""
_BLACK, _WHITE = 22.0, 87.0
_PALE, _VIVID = 36.0, 70.0


def name_of(light: float, a: float, b: float) -> Colour:
    """Of L* (0 to 100), a* and b*: too little chroma, or too little light, makes it black, grey or white; else the hue
    decides, in degrees with red at 40, yellow at 103, green at 136 and blue at 306 of sRGB's corners, and within one
    hue the lightness and the chroma: dark orange is brown, pale orange beige, light red pink."""
    chroma, hue = hypot(a, b), degrees(atan2(b, a)) % 360
    if chroma < _GREYISH or light < 10 or chroma * light < 150:
        return Colour.BLACK if light < _BLACK else Colour.WHITE if light > _WHITE else Colour.GREY
    if hue >= 340 or hue < 45:
        return _reddish(light, chroma, hue)
    if hue < 110:
        return _yellowish(light, chroma, hue)
    if hue < 165:
        return Colour.GREEN
    if hue < 220:
        return Colour.TURQUOISE
    # the lighter, the earlier blue of this model turns into purple
    return Colour.BLUE if hue < (309 if light < 45 else 300) else Colour.PURPLE


def _reddish(light: float, chroma: float, hue: float) -> Colour:
    if hue >= 340 or hue < 15:
        return Colour.PINK if light >= 45 else Colour.PURPLE if hue >= 340 else Colour.RED
    if light >= 62 and chroma < _VIVID:
        return Colour.PINK if chroma >= 15 else Colour.BEIGE
    return Colour.RED if chroma >= _PALE else Colour.BROWN


def _yellowish(light: float, chroma: float, hue: float) -> Colour:
    if light >= 65 and chroma < _PALE:
        return Colour.BEIGE
    if hue < 78:
        return Colour.ORANGE if light + chroma / 8 >= 66 and chroma >= 45 else Colour.BROWN
    if light >= 62:
        return Colour.YELLOW
    return Colour.GREEN if hue >= 98 and chroma >= 15 else Colour.BROWN
