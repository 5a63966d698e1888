"""Dtypes in writing: numpy's short form such as `"<f4"`, or a table for sub-arrays and structured ones, which restores
names, titles, offsets, sizes and alignment. Metadata of a dtype, which numpy itself ignores, is not kept."""

from __future__ import annotations

from typing import Any

import numpy as np

from cortex.shm.tables import Structure, SubArray, Table, convert
from cortex.shm.values import numpy_dtype


def form_of_dtype(kind: np.dtype[Any], place: str) -> str | Table:
    """Raises ValueError with the place for a dtype whose form would not restore it."""
    form = _form(kind, place)
    if dtype_of_form(form, place) != kind:
        raise ValueError(f"{place}: dtype {kind!r} has no written form that restores it")
    return form


def _form(kind: np.dtype[Any], place: str) -> str | Table:
    if kind.subdtype is not None:
        return {"base": _form(kind.base, place), "shape": list(kind.shape)}
    if kind.fields is None:
        return kind.str
    fields = []
    for name in kind.names or ():
        inner, offset, *titles = kind.fields[name]
        if not all(isinstance(title, str) for title in titles):
            raise ValueError(f"{place}: the title {titles[0]!r} of the field {name!r} is not text")
        field = {"name": name, "dtype": _form(inner, place), "offset": offset}
        fields.append(field | ({"title": titles[0]} if titles else {}))
    flags = {"aligned": kind.isalignedstruct, "record": kind.type is np.record}
    return {"itemsize": kind.itemsize, **{key: True for key, is_set in flags.items() if is_set}, "fields": fields}


def dtype_of_form(form: str | Table, place: str) -> np.dtype[Any]:
    """Raises ValueError with the place for what is no dtype."""
    if isinstance(form, str):
        return numpy_dtype(place, form)
    if "fields" in form:
        return _structure(convert(form, Structure, f"{place}, dtype"), place)
    array = convert(form, SubArray, f"{place}, dtype")
    return numpy_dtype(place, (dtype_of_form(array.base, f"{place}, base"), tuple(array.shape)))


def _structure(structure: Structure, place: str) -> np.dtype[Any]:
    fields = structure.fields
    layout: Any = {
        "names": [field.name for field in fields],
        "formats": [dtype_of_form(field.dtype, f"{place}, field {field.name!r}") for field in fields],
        "offsets": [field.offset for field in fields],
        "titles": [field.title for field in fields],
        "itemsize": structure.itemsize,
        "aligned": structure.aligned,
    }
    kind = numpy_dtype(place, layout)
    return np.dtype((np.record, kind)) if structure.record else kind
