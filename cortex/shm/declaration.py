"""What a process pipeline consists of, as declared: streams, events and tasks by name. Pure values; what can be seen
to be wrong with one of them is refused here, what needs the whole graph by `checking`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import DTypeLike

from cortex.shm.functions import Function
from cortex.shm.layout import plain
from cortex.shm.values import (
    bindings,
    check_count,
    check_name,
    depth,
    description_of,
    dimensions_of,
    dtype_of,
    flag,
    seconds,
)

Control = Literal["switchable", "toggleable", "terminator"]
"""switchable: waits for its event and runs again and again while it is open. toggleable: waits, resets, runs once.
terminator: no function; it lets its streams run without holding them back."""


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A stream of frames of one shape and dtype. `frames` is the depth of its ring; `max_bytes`, when the depth was
    given that way, is kept beside it. The writer looks for its slowest reader after every `..._interval` frames and
    every `..._s` seconds."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    frames: int
    cache_align: bool = True
    min_reader_pos_refresh_interval: int = 64
    min_reader_pos_refresh_s: float = 0.005
    description: str | None = None
    max_bytes: int | None = None

    @property
    def frame_nbytes(self) -> int:
        """Bytes of one frame, without padding."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class EventSpec:
    name: str
    initial_state: bool = False
    description: str | None = None


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A function that runs in a process of its own. `reads`, `writes` and `events` map the names of its arguments to
    names of the pipeline. `activate_on` is the argument name of the control event; `restarts`, how often the task is
    started again when it failed; `latest`, the reads that always give the newest frame."""

    name: str
    function: Function | None
    reads: Mapping[str, str]
    writes: Mapping[str, str]
    events: Mapping[str, str]
    description: str | None = None
    control: Control | None = None
    activate_on: str | None = None
    restarts: int = 0
    latest: tuple[str, ...] = ()


@dataclass(slots=True)
class Declaration:
    """A pipeline as it was declared, each part in order of registration. `excused` holds (stream, reading task):
    edges that may close a cycle."""

    name: str
    streams: dict[str, StreamSpec] = field(default_factory=dict, init=False)
    events: dict[str, EventSpec] = field(default_factory=dict, init=False)
    tasks: dict[str, TaskSpec] = field(default_factory=dict, init=False)
    excused: set[tuple[str, str]] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        check_name("pipeline", self.name, ())

    def add_stream(
        self,
        name: str,
        *,
        shape: int | Iterable[int],
        dtype: DTypeLike,
        frames: int | None = None,
        cache_align: bool = True,
        min_reader_pos_refresh_interval: int = 64,
        min_reader_pos_refresh_s: float = 0.005,
        description: str | None = None,
        max_bytes: int | None = None,
    ) -> StreamSpec:
        """`shape` has dimensions of at least 1; `()` is one scalar. `dtype` is any of a fixed size; the shape of a
        sub-array dtype becomes part of the frame's shape. The depth is `frames` (32 when nothing is said) or what
        fits into `max_bytes` when every slot is padded to 64 bytes, but never less than 2.

        Raises ValueError for a name given twice, a bad shape or dtype, numbers out of range or both depths; TypeError
        for values of a wrong type."""
        check_name("stream", name, self.streams)
        place = f"stream {name!r}"
        kind = dtype_of(place, dtype)
        dimensions, kind = plain(dimensions_of(place, shape), kind)
        check_count(place, "min_reader_pos_refresh_interval", min_reader_pos_refresh_interval)
        spec = StreamSpec(
            name=name,
            shape=dimensions,
            dtype=kind,
            frames=depth(place, frames, max_bytes, math.prod(dimensions) * kind.itemsize),
            cache_align=flag(place, "cache_align", cache_align),
            min_reader_pos_refresh_interval=min_reader_pos_refresh_interval,
            min_reader_pos_refresh_s=seconds(place, "min_reader_pos_refresh_s", min_reader_pos_refresh_s),
            description=description_of(place, description),
            max_bytes=max_bytes,
        )
        self.streams[name] = spec
        return spec

    def add_event(self, name: str, *, initial_state: bool = False, description: str | None = None) -> EventSpec:
        """Raises ValueError for a name given twice, TypeError for values of a wrong type."""
        check_name("event", name, self.events)
        place = f"event {name!r}"
        spec = EventSpec(name, flag(place, "initial_state", initial_state), description_of(place, description))
        self.events[name] = spec
        return spec

    def add_task(
        self,
        name: str,
        *,
        fn: Callable[..., Any] | Function | None,
        reads: Mapping[str, str] | None = None,
        writes: Mapping[str, str] | None = None,
        events: Mapping[str, str] | None = None,
        description: str | None = None,
        control: Control | None = None,
        activate_on: str | None = None,
        restarts: int = 0,
        latest: Iterable[str] = (),
    ) -> TaskSpec:
        """Only a terminator has no `fn`. Raises ValueError for a name given twice, bad bindings (also a stream that
        is bound twice) and what does not fit the control; TypeError for values of a wrong type."""
        check_name("task", name, self.tasks)
        place = f"task {name!r}"
        if isinstance(latest, str):
            raise TypeError(f"{place}: latest must list names, not be the text {latest!r}")
        check_count(place, "restarts", restarts, least=0)
        spec = TaskSpec(
            name=name,
            function=_function(place, fn),
            reads=bindings(place, "reads", reads),
            writes=bindings(place, "writes", writes),
            events=bindings(place, "events", events),
            description=description_of(place, description),
            control=control,
            activate_on=activate_on,
            restarts=restarts,
            latest=tuple(latest),
        )
        _check_control(place, spec)
        _check_streams_bound_once(place, spec)
        self.tasks[name] = spec
        return spec

    def excuse(self, stream: str, task: str) -> None:
        """Lets the edge from the stream to the task close a cycle. Raises ValueError when either is unknown, the
        task does not read the stream, or the edge was given before."""
        if stream not in self.streams:
            raise ValueError(f"the edge from {stream!r} to {task!r} cannot be excused: no stream is named {stream!r}")
        if task not in self.tasks:
            raise ValueError(f"the edge from {stream!r} to {task!r} cannot be excused: no task is named {task!r}")
        if stream not in self.tasks[task].reads.values():
            raise ValueError(f"task {task!r} does not read the stream {stream!r}: there is no edge to excuse")
        if (stream, task) in self.excused:
            raise ValueError(f"the edge from stream {stream!r} to task {task!r} is excused twice")
        self.excused.add((stream, task))


def _function(place: str, fn: object) -> Function | None:
    if fn is None or isinstance(fn, Function):
        return fn
    if not callable(fn):
        raise TypeError(f"{place}: fn must be a function, not {fn!r}")
    return Function.of(fn)


def _check_control(place: str, spec: TaskSpec) -> None:
    if spec.control not in (None, *get_args(Control)):
        raise ValueError(f"{place}: control must be one of {', '.join(get_args(Control))}, not {spec.control!r}")
    if spec.control == "terminator":
        if not spec.reads:
            raise ValueError(f"{place}: a terminator must read at least one stream, but reads is empty")
        for key in ("function", "writes", "events"):
            if getattr(spec, key):
                raise ValueError(f"{place}: a terminator only reads; it has no {key}")
    elif spec.function is None:
        raise TypeError(f"{place}: fn is missing")
    if spec.control in ("switchable", "toggleable"):
        if spec.activate_on not in spec.events:
            raise ValueError(f"{place}: activate_on={spec.activate_on!r} is not among its events {sorted(spec.events)}")
    elif spec.activate_on is not None:
        raise ValueError(f"{place}: only switchable and toggleable have activate_on, not {spec.activate_on!r}")


def _check_streams_bound_once(place: str, spec: TaskSpec) -> None:
    locals_of: dict[str, str] = {}
    for local, stream in [*spec.reads.items(), *spec.writes.items()]:
        if stream in locals_of:
            raise ValueError(f"{place}: the stream {stream!r} is bound twice, as {locals_of[stream]!r} and {local!r}")
        locals_of[stream] = local
