"""Models in ONNX written from their parts: protocol buffers with the fields of ONNX's own schema (onnx.proto), as far
as networks of convolutions need it. Nothing is checked here: who runs the model does that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Value = int | str | Sequence[int]

_IR_VERSION, _OPSET = 8, 17
_FLOAT = 1
_TYPES = {"float32": _FLOAT, "int64": 7}
_INT, _TEXT, _INTS = 2, 3, 7
"""Kinds of attributes."""


def model(nodes: Iterable[bytes], constants: Iterable[bytes], takes: bytes, gives: Iterable[bytes]) -> bytes:
    """A model of one graph."""
    parts = [_field(1, node) for node in nodes] + [_field(2, b"graph")] + [_field(5, one) for one in constants]
    parts += [_field(11, takes)] + [_field(12, one) for one in gives]
    return _number(1, _IR_VERSION) + _field(7, b"".join(parts)) + _field(8, _number(2, _OPSET))


def node(operation: str, takes: Iterable[str], gives: str, **attributes: Value) -> bytes:
    """One operation; an empty name stands for an input that is left out."""
    parts = [_field(1, name.encode()) for name in takes] + [_field(2, gives.encode()), _field(4, operation.encode())]
    return b"".join(parts + [_field(5, _attribute(name, value)) for name, value in attributes.items()])


def constant(name: str, values: Array) -> bytes:
    """float32 or int64."""
    shape = b"".join(_number(1, side) for side in values.shape)
    kind = _number(2, _TYPES[values.dtype.name])
    return shape + kind + _field(8, name.encode()) + _field(9, np.ascontiguousarray(values).tobytes())


def floats(name: str, shape: Sequence[int]) -> bytes:
    """What goes in or comes out: an array of float32."""
    sides = b"".join(_field(1, _number(1, side)) for side in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, sides)))


def _attribute(name: str, value: Value) -> bytes:
    if isinstance(value, str):
        return _field(1, name.encode()) + _field(4, value.encode()) + _number(20, _TEXT)
    if isinstance(value, int):
        return _field(1, name.encode()) + _number(3, value) + _number(20, _INT)
    return _field(1, name.encode()) + b"".join(_number(8, one) for one in value) + _number(20, _INTS)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
