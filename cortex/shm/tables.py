"""The tables of a pipeline's TOML document, and how strictly they are read."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

_T = TypeVar("_T")
Table = dict[str, Any]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    pass


class Document(_Strict):
    format_version: int
    name: str
    streams: list[Table] = []
    events: list[Table] = []
    tasks: list[Table] = []
    excused_edges: list[Table] = []


class Stream(_Strict):
    name: str
    shape: list[int]
    dtype: str | Table
    frames: int | None = None
    max_bytes: int | None = None
    cache_align: bool = True
    min_reader_pos_refresh_interval: int = 64
    min_reader_pos_refresh_s: float = 0.005
    description: str | None = None


class Event(_Strict):
    name: str
    initial_state: bool = False
    description: str | None = None


class Task(_Strict):
    name: str
    function_module: str | None = None
    function_qualname: str | None = None
    description: str | None = None
    control_mode: Literal["switchable", "toggleable", "terminator"] | None = None
    control_event: str | None = None
    restarts: int = 0
    latest: list[str] = []
    reads: dict[str, str] = {}
    writes: dict[str, str] = {}
    events: dict[str, str] = {}


class Edge(_Strict):
    stream: str
    task: str


class Structure(_Strict):
    fields: list[Field]
    itemsize: int
    aligned: bool = False
    record: bool = False


class Field(_Strict):
    name: str
    dtype: str | Table
    offset: int
    title: str | None = None


class SubArray(_Strict):
    base: str | Table
    shape: list[int]


def convert(raw: Table, kind: type[_T], place: str) -> _T:
    """Raises ValueError with the place for keys that are missing or unknown and values of a wrong type."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{place}: {error}") from error
