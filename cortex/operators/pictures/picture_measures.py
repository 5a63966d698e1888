"""What is measured of a still picture: sharpness, noise, exposure and contrast. Pixels of brightness are an array of
height x width, 0 to 255."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageChops

from cortex.media.shown import Pixels

Floats = np.ndarray[Any, np.dtype[np.float64]]
Steps = np.ndarray[Any, np.dtype[np.int16]]

_TILE = 64
"""Pixels a side of the parts in which sharpness is measured."""
_EVERY = 4
"""Of so many lines one is looked at for sharpness."""
_WINDOW = 9
_SHARPEST = 0.9
_DETAIL, _OF_NOISE = 1.0, 1.35
"""A part shows something where neighbours differ by so many steps of 255, and by so much of the noise, in the mean."""

_BLOCK = 32
_FLATTEST = 0.125
_DARK, _LIGHT = 4, 251
"""Beyond these values noise is cut off."""
_BLACK, _WHITE = 2, 253
_TAIL = 0.02
"""Share of the pixels at either end that contrast leaves out."""
_FEW = 32


class Exposure(NamedTuple):
    """The mean brightness and the shares of pixels that are black and white without detail, 0 to 1."""

    brightness: float
    shadows: float
    highlights: float


def exposure(picture: Image.Image, grey: Image.Image) -> Exposure:
    """Of an RGB picture and its brightness. Black: no channel above 2; white: none below 253."""
    red, green, blue = picture.split()
    brightest = ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram()
    darkest = ImageChops.darker(ImageChops.darker(red, green), blue).histogram()
    levels = grey.histogram()
    pixels = sum(levels)
    mean = sum(level * count for level, count in enumerate(levels)) / pixels / 255
    return Exposure(mean, sum(brightest[: _BLACK + 1]) / pixels, sum(darkest[_WHITE:]) / pixels)


def contrast(grey: Image.Image) -> float:
    """The range of brightness without the darkest and the brightest fiftieth of the pixels, 0 to 1."""
    passed = np.cumsum(grey.histogram())
    low, high = np.searchsorted(passed, (passed[-1] * _TAIL, passed[-1] * (1 - _TAIL)))
    return float(high - low) / 255


def noise(grey: Pixels) -> float:
    """The standard deviation of the noise in steps of 255, after Immerkaer, Fast noise variance estimation (Computer
    Vision and Image Understanding 64, 1996): what remains of the picture under a difference of two Laplacians, which
    knows neither edges nor slopes. Texture remains as well, so that it is taken of blocks of 32 x 32 pixels and the
    one counts that an eighth of the blocks stay below; those at the ends of the scale, where noise is cut off, are left
    out. 0 where nothing else is there, and for less than 34 pixels a side."""
    height, width = grey.shape
    tall, wide = (height - 2) // _BLOCK, (width - 2) // _BLOCK
    if tall < 1 or wide < 1:
        return 0.0
    part = grey[: tall * _BLOCK + 2, : wide * _BLOCK + 2].astype(np.int16)
    across = part[:, :-2] - 2 * part[:, 1:-1] + part[:, 2:]
    rest = np.abs(across[:-2] - 2 * across[1:-1] + across[2:])
    sigmas = _means(rest, _BLOCK, _BLOCK) * (np.sqrt(np.pi / 2) / 6)
    means = _means(part[1:-1, 1:-1], _BLOCK, _BLOCK)
    usable = sigmas[(means >= _DARK) & (means <= _LIGHT)]
    return float(np.quantile(usable, _FLATTEST)) if usable.size else 0.0


def sharpness(grey: Pixels, noise_steps: float) -> float:
    """How sharp the sharpest part is, 0 to 1: one minus the blur of Crete, Dolmiere, Ladret and Nicolas, The blur
    effect (SPIE 6492, 2007), which is the share of the differences of neighbours that another blur leaves, the worse
    of rows and columns. It is measured in parts of 64 pixels a side, of which those without detail beyond the noise
    are left out, and the one counts that nine tenths of them stay below: a subject in focus before a soft ground is
    sharp. 0 where no part has detail, and for less than 32 pixels a side."""
    tile = min(_TILE, *grey.shape) // _EVERY * _EVERY
    if tile < _FEW:
        return 0.0
    tall, wide = grey.shape[0] // tile, grey.shape[1] // tile
    values = grey[: tall * tile, : wide * tile].astype(np.int16)
    least = _DETAIL + _OF_NOISE * noise_steps
    blurs = np.maximum(_tile_blur(values[::_EVERY], tile, least), _tile_blur(values.T[::_EVERY], tile, least).T)
    found = 1 - blurs[blurs >= 0]
    return float(np.quantile(found, _SHARPEST)) if found.size else 0.0


def _tile_blur(lines: Steps, tile: int, least: float) -> Floats:
    """Of each part, the blur along its lines, -1 where neighbours differ by less than `least` in the mean. What a mean
    over nine pixels leaves of a difference is the ninth of that of the two pixels that enter and leave."""
    sharp = np.abs(lines[:, 1:] - lines[:, :-1])
    half = _WINDOW // 2
    padded = np.pad(lines, ((0, 0), (half, half)), mode="edge")
    soft = np.abs(padded[:, _WINDOW:] - padded[:, :-_WINDOW])
    lost = np.maximum(sharp * np.int16(_WINDOW) - soft, 0)
    ends = ((0, 0), (1, 0))
    detail = _means(np.pad(sharp, ends), tile // _EVERY, tile)
    kept = _means(np.pad(lost, ends), tile // _EVERY, tile) / _WINDOW
    return np.where(detail >= least, 1 - kept / np.maximum(detail, least), -1.0)


def _means(values: Steps, tall: int, wide: int) -> Floats:
    """Of each block of `tall` rows and `wide` columns."""
    rows = np.add.reduce(values.reshape(-1, tall, values.shape[1]), axis=1, dtype=np.int32)
    sums: Floats = np.add.reduce(rows.reshape(len(rows), -1, wide), axis=2, dtype=np.float64)
    return sums / (tall * wide)
