"""Colours as they are seen: CIE L*a*b* of sRGB, for many pixels at once."""

from __future__ import annotations

from typing import Any

import numpy as np

Colours = np.ndarray[Any, np.dtype[np.float64]]

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _TO_XYZ.sum(axis=1)
_KNEE = 6 / 29


def to_lab(rgb: Any) -> Colours:
    """L* (0 to 100), a* and b* of sRGB values from 0 to 255 (... x 3), by IEC 61966-2-1 and CIE 15, white is D65."""
    coded = np.asarray(rgb, np.float64) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    x, y, z = np.moveaxis(np.where(xyz > _KNEE**3, np.cbrt(xyz), xyz / (3 * _KNEE**2) + 4 / 29), -1, 0)
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=-1)


def to_rgb(lab: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The nearest sRGB values from 0 to 255."""
    light, a, b = np.moveaxis(np.asarray(lab, np.float64), -1, 0)
    y = (light + 16) / 116
    parts = np.stack((y + a / 500, y, y - b / 200), axis=-1)
    xyz = np.where(parts > _KNEE, parts**3, 3 * _KNEE**2 * (parts - 4 / 29)) * _WHITE
    linear = np.clip(xyz @ np.linalg.inv(_TO_XYZ).T, 0, 1)
    coded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    rounded: np.ndarray[Any, np.dtype[np.uint8]] = np.rint(coded * 255).astype(np.uint8)
    return rounded
