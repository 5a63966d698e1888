"""What is measured of pictures: how much they differ, blur, and the teeth of woven half pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from cortex.media.shown import Pixels

_LINES = 48
"""How many rows and columns, evenly spread, are looked at for blur."""
_WINDOW = 9
_TILE_ROWS, _TILE_COLUMNS, _EVERY = 16, 16, 4
_TEETH = 1.3
_SEEN = 6.0
_TILES = 0.02


def mean_difference(one: Pixels, other: Pixels) -> float:
    """Of two pictures of one shape, 0 to 255."""
    apart = np.maximum(one, other) - np.minimum(one, other)
    return int(apart.sum(dtype=np.uint32)) / apart.size


def blur(grey: Pixels) -> float:
    """How blurred a picture (height x width, 0 to 255) is, 0 to 1, after Crete, Dolmiere, Ladret and Nicolas, The blur
    effect: perception and estimation with a new no-reference perceptual blur metric (SPIE 6492, 2007): the worse of
    rows and columns, each measured at 48 of them. 1 for a picture of one colour or of less than ten pixels a side."""
    height, width = grey.shape
    rows = grey[:: max(height // _LINES, 1)].astype(np.float32)
    columns = grey[:, :: max(width // _LINES, 1)].T.astype(np.float32)
    return max(_blur_along(rows), _blur_along(columns))


def _blur_along(lines: np.ndarray[Any, np.dtype[np.float32]]) -> float:
    if lines.shape[1] <= _WINDOW:
        return 1.0
    sums = np.cumsum(lines, axis=1)
    softened = (sums[:, _WINDOW:] - sums[:, :-_WINDOW]) / _WINDOW
    start = _WINDOW // 2 + 1
    sharp = np.abs(np.diff(lines[:, start : start + softened.shape[1]], axis=1))
    soft = np.abs(np.diff(softened, axis=1))
    whole = float(sharp.sum())
    lost = float(np.maximum(sharp - soft, 0).sum())
    return 1.0 if whole <= 0 else min(max(1.0 - lost / whole, 0.0), 1.0)


def is_combed(luma: Pixels) -> bool:
    """Whether a picture, of every row as coded, shows moving edges as teeth: in tiles of 16 rows by 64 columns, rows
    differ more from their neighbours than from the next but one, which belong to the same half picture. At least two of
    a hundred tiles must do so."""
    height, width = luma.shape
    tall = (height - 2) // _TILE_ROWS
    wide = width // (_EVERY * _TILE_COLUMNS)
    if tall < 1 or wide < 1:
        return False
    few = luma[: tall * _TILE_ROWS + 2, : wide * _EVERY * _TILE_COLUMNS : _EVERY].astype(np.int16)
    near = _tiles(np.abs(few[1:-1] - few[:-2]), tall, wide)
    same = _tiles(np.abs(few[2:] - few[:-2]), tall, wide)
    toothed = (near > _TEETH * same) & (near > _SEEN)
    return bool(toothed.mean() >= _TILES)


def _tiles(differences: np.ndarray[Any, np.dtype[np.int16]], tall: int, wide: int) -> Any:
    return differences.reshape(tall, _TILE_ROWS, wide, _TILE_COLUMNS).mean(axis=(1, 3))
