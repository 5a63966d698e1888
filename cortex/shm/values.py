"""The checks of single values of a declaration: each gives the value as it is kept, or raises a TypeError or ValueError
whose sentence names `place` (what was being declared) and the value."""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterable, Mapping
from numbers import Real
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import DTypeLike

from cortex.shm.layout import LINE, padded

DEFAULT_FRAMES = 32


def check_name(what: str, name: object, taken: Iterable[str]) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the name of a {what} must be text, not {name!r}")
    if not name:
        raise ValueError(f"the name of a {what} must not be empty")
    _check_text(f"the name of the {what} {name!r}", name)
    if name in taken:
        raise ValueError(f"the {what} {name!r} is declared twice")


def _check_text(what: str, text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{what} holds half a character (a lone surrogate), which cannot be saved")


def description_of(place: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{place}: description must be text, not {value!r}")
    _check_text(f"{place}: the description {value!r}", value or "")
    return value


def flag(place: str, key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{place}: {key} must be True or False, not {value!r}")
    return value


def check_count(place: str, key: str, value: object, least: int = 1) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{place}: {key} must be a whole number, not {value!r}")
    if value < least:
        raise ValueError(f"{place}: {key} must be at least {least}, not {value!r}")


def seconds(place: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{place}: {key} must be a number of seconds, not {value!r}")
    if not 0 <= cast(float, value) <= sys.float_info.max:
        raise ValueError(f"{place}: {key} must be 0 or more and finite, not {value!r}")
    return float(value)


def dimensions_of(place: str, shape: object) -> tuple[int, ...]:
    dimensions = shape if isinstance(shape, Iterable) and not isinstance(shape, str | bytes) else (shape,)
    whole = []
    for dimension in dimensions:
        try:
            size = -1 if isinstance(dimension, bool) else operator.index(cast(int, dimension))
        except TypeError:
            size = -1
        if size < 1:
            raise ValueError(f"{place}: every dimension of shape must be a whole number of at least 1, not {shape!r}")
        whole.append(size)
    return tuple(whole)


def dtype_of(place: str, dtype: DTypeLike) -> np.dtype[Any]:
    kind = numpy_dtype(place, dtype)
    if kind.hasobject:
        raise ValueError(f"{place}: dtype {dtype!r} holds Python objects, which other processes cannot read")
    if kind.itemsize == 0:
        raise ValueError(f"{place}: dtype {dtype!r} has no size")
    return kind


def numpy_dtype(place: str, dtype: DTypeLike) -> np.dtype[Any]:
    try:
        if dtype is None:
            raise TypeError("it is missing")
        return np.dtype(dtype)
    except Exception as error:  # numpy also lets SyntaxError and others through
        raise ValueError(f"{place}: dtype {dtype!r} is not a dtype of numpy: {error}") from error


def depth(place: str, frames: int | None, max_bytes: int | None, frame_nbytes: int) -> int:
    if max_bytes is None:
        frames = DEFAULT_FRAMES if frames is None else frames
        check_count(place, "frames", frames)
        return frames
    if frames is not None:
        raise ValueError(f"{place}: give frames={frames!r} or max_bytes={max_bytes!r}, not both")
    check_count(place, "max_bytes", max_bytes)
    return max(2, max_bytes // padded(frame_nbytes, LINE))


def bindings(place: str, key: str, given: object) -> Mapping[str, str]:
    if given is None:
        return MappingProxyType({})
    if not isinstance(given, Mapping):
        raise ValueError(f"{place}: {key} must map names of arguments to names of the pipeline, not be {given!r}")
    for local, name in given.items():
        if not (isinstance(local, str) and isinstance(name, str) and local and name):
            raise ValueError(f"{place}: {key} must map names to names, not {local!r} to {name!r}")
        _check_text(f"{place}: {key} from {local!r} to {name!r}", local + name)
    return MappingProxyType(dict(given))
