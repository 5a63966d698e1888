"""Models in TFLite, which are FlatBuffers: read as far as networks of convolutions need it. The places of fields are
those of TensorFlow Lite's schema, version 3."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

_MARK = b"TFL3"
_TYPES = {0: "<f4", 1: "<f2", 2: "<i4"}
_OLD_CODES = 127
"""Numbers of operations beyond this stand in a field of their own."""


class Tensor(NamedTuple):
    """`values` are those that stand in the file, None where they are computed."""

    name: str
    shape: tuple[int, ...]
    values: Array | None


class Step(NamedTuple):
    """An operation by its number in the schema; what it takes and gives as numbers of tensors, -1 for none."""

    code: int
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    options: Table | None


class Model(NamedTuple):
    """The steps are in the order in which they can be done."""

    tensors: list[Tensor]
    steps: list[Step]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Table:
    """A table of a FlatBuffer. Fields are asked for by their number in the schema."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at
        self._fields = at - int(struct.unpack_from("<i", data, at)[0])

    def number(self, field: int, form: str = "i") -> int:
        """0 where the field is left out, as the schema has it."""
        at = self._place(field)
        return int(struct.unpack_from("<" + form, self._data, at)[0]) if at else 0

    def table(self, field: int) -> Table | None:
        at = self._place(field)
        return Table(self._data, self._follow(at)) if at else None

    def tables(self, field: int) -> list[Table]:
        start, count = self._vector(field)
        return [Table(self._data, self._follow(start + 4 * number)) for number in range(count)]

    def numbers(self, field: int) -> tuple[int, ...]:
        start, count = self._vector(field)
        return struct.unpack_from(f"<{count}i", self._data, start)

    def content(self, field: int) -> bytes:
        start, count = self._vector(field)
        return self._data[start : start + count]

    def _place(self, field: int) -> int:
        """Where the field's value lies; 0 where it is left out."""
        (size,) = struct.unpack_from("<H", self._data, self._fields)
        at = 4 + 2 * field
        offset = struct.unpack_from("<H", self._data, self._fields + at)[0] if at < size else 0
        return self._at + offset if offset else 0

    def _follow(self, at: int) -> int:
        return at + int(struct.unpack_from("<I", self._data, at)[0])

    def _vector(self, field: int) -> tuple[int, int]:
        """Where the items begin, and how many there are."""
        at = self._place(field)
        if not at:
            return 0, 0
        start = self._follow(at)
        return start + 4, int(struct.unpack_from("<I", self._data, start)[0])


def read(data: bytes) -> Model:
    """Raises `ValueError` for what is no model in TFLite with one graph."""
    if data[4:8] != _MARK:
        raise ValueError("it is no model in TFLite")
    try:
        return _read(data)
    except (struct.error, IndexError, KeyError) as error:
        raise ValueError("the model in TFLite is damaged, or of a form that is not known") from error


def _read(data: bytes) -> Model:
    model = Table(data, int(struct.unpack_from("<I", data, 0)[0]))
    codes = [_code(table) for table in model.tables(1)]
    (graph,) = model.tables(2)
    buffers = [table.content(0) for table in model.tables(4)]
    tensors = [_tensor(table, buffers) for table in graph.tables(0)]
    steps = [
        Step(codes[table.number(0, "I")], table.numbers(1), table.numbers(2), table.table(4))
        for table in graph.tables(3)
    ]
    return Model(tensors, steps, graph.numbers(1), graph.numbers(2))


def _code(table: Table) -> int:
    old = table.number(0, "b")
    return table.number(3) if old == _OLD_CODES else old


def _tensor(table: Table, buffers: list[bytes]) -> Tensor:
    shape, content = table.numbers(0), buffers[table.number(2, "I")]
    values = np.frombuffer(content, _TYPES[table.number(1, "b")]).reshape(shape) if content else None
    return Tensor(table.content(3).decode(), shape, values)
