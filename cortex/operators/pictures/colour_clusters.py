"""The colours that a picture mainly consists of: k-means in CIE L*a*b*, the same each time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cortex.operators.pictures.cielab import Colours, to_lab

_BITS = 5
"""Of each channel: colours that share them are counted as one, which is their mean."""
_ROUNDS = 50
_ALIKE = 10.0
"""Colours nearer to each other than this (CIE76) become one."""
_CLEAR = 64
"""Pixels less opaque than this do not count."""
_START = 2
"""So many times more colours are begun with, so that a small but striking one is not lost among shades."""

Weights = np.ndarray[Any, np.dtype[np.float64]]


class Main(NamedTuple):
    """A colour in CIE L*a*b*, and which share of the pixels it stands for, 0 to 1."""

    lab: tuple[float, float, float]
    share: float


def main_colours(rgb: Any, opacity: Any | None, count: int) -> list[Main]:
    """At most `count`, the one with the largest share first, of pixels (height x width x 3). `opacity` (height x width,
    0 to 255) says how much of a pixel shows over the white that it was put on; empty where next to nothing does."""
    colours, weights = _pixels(rgb, opacity)
    if not weights.size:
        return []
    bins, weights = _binned(colours, weights)
    points = to_lab(bins)
    centres = _seeds(points, weights, count * _START)
    for _ in range(_ROUNDS):
        nearest = _nearest(points, centres)
        moved = _means(points, weights, nearest, len(centres))
        if np.allclose(moved, centres, atol=1e-3):
            break
        centres = moved
    shares = np.bincount(_nearest(points, centres), weights, len(centres)) / weights.sum()
    return _merged(centres, shares)[:count]


def _pixels(rgb: Any, opacity: Any | None) -> tuple[Colours, Weights]:
    """As a list, with the white under transparent ones taken away."""
    colours = np.asarray(rgb, np.float64).reshape(-1, 3)
    if opacity is None:
        return colours, np.ones(len(colours))
    alpha = np.asarray(opacity, np.float64).reshape(-1)
    seen = alpha >= _CLEAR
    weights = alpha[seen] / 255
    return np.clip(255 - (255 - colours[seen]) / weights[:, None], 0, 255), weights


def _binned(colours: Colours, weights: Weights) -> tuple[Colours, Weights]:
    steps = colours.astype(np.uint32) >> (8 - _BITS)
    members = (steps[:, 0] << (2 * _BITS)) | (steps[:, 1] << _BITS) | steps[:, 2]
    sums: Weights = np.bincount(members, weights).astype(np.float64)
    there = np.flatnonzero(sums)
    means = [np.bincount(members, weights * colours[:, channel])[there] / sums[there] for channel in range(3)]
    return np.stack(means, axis=1), sums[there]


def _seeds(points: Colours, weights: Weights, count: int) -> Colours:
    """The most frequent colour; then, again and again, what is farthest from all so far, times how frequent it is."""
    chosen = [int(weights.argmax())]
    away = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < count and away.max() > 0:
        chosen.append(int((away * weights).argmax()))
        away = np.minimum(away, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen]


def _nearest(points: Colours, centres: Colours) -> Any:
    """The number of the nearest centre, of each point."""
    apart = (centres**2).sum(axis=1) - 2 * points @ centres.T
    return apart.argmin(axis=1)


def _means(points: Colours, weights: Weights, nearest: Any, count: int) -> Colours:
    sums = np.maximum(np.bincount(nearest, weights, count), 1e-12)
    return np.stack([np.bincount(nearest, weights * points[:, axis], count) / sums for axis in range(3)], axis=1)


def _merged(centres: Colours, shares: Weights) -> list[Main]:
    """The nearest two become one as long as they are alike; those of no pixel are left out."""
    found = [(centre, float(share)) for centre, share in zip(centres, shares, strict=True) if share > 0]
    while len(found) > 1:
        labs = np.stack([lab for lab, _ in found])
        apart = np.sqrt(((labs[:, None] - labs[None]) ** 2).sum(axis=2))
        np.fill_diagonal(apart, np.inf)
        one, other = sorted(divmod(int(apart.argmin()), len(found)))
        if apart[one, other] >= _ALIKE:
            break
        (lab, share), (more, part) = found[one], found.pop(other)
        found[one] = (lab * share + more * part) / (share + part), share + part
    found.sort(key=lambda each: -each[1])
    return [Main((float(lab[0]), float(lab[1]), float(lab[2])), share) for lab, share in found]
