"""A declaration as a TOML document and back.

    format_version = 1
    name = "radar"

    [[streams]]        name, shape, dtype, frames or max_bytes, cache_align, the two refresh settings, description
    [[events]]         name, initial_state, description
    [[tasks]]          name, function_module, function_qualname, description, control_mode, control_event, restarts,
                       latest, and the tables reads, writes and events
    [[excused_edges]]  stream, task

A dtype is numpy's short form (`"<f4"`), or a table: `base` and `shape` of a sub-array; or `fields` (each with name,
dtype, offset and perhaps title), `itemsize`, `aligned` and `record` of a structured one. Everything is sorted by name,
so equal declarations give equal documents.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence

import tomli_w

from cortex.shm.declaration import Declaration, EventSpec, StreamSpec, TaskSpec
from cortex.shm.dtypes import dtype_of_form, form_of_dtype
from cortex.shm.functions import Function
from cortex.shm.tables import Document, Edge, Event, Stream, Table, Task, convert

FORMAT_VERSION = 1


def to_toml(declaration: Declaration) -> str:
    """Raises ValueError, with the name of the task or stream, for functions that another program cannot find and
    dtypes that have no written form."""
    document = {
        "format_version": FORMAT_VERSION,
        "name": declaration.name,
        "streams": [_stream_table(declaration.streams[name]) for name in sorted(declaration.streams)],
        "events": [_event_table(declaration.events[name]) for name in sorted(declaration.events)],
        "tasks": [_task_table(declaration.tasks[name]) for name in sorted(declaration.tasks)],
        "excused_edges": [{"stream": stream, "task": task} for stream, task in sorted(declaration.excused)],
    }
    return _render("", {key: value for key, value in document.items() if value != []})


def from_toml(text: str, *, allow: Sequence[str] | None = None) -> Declaration:
    """Imports nothing. `allow` lists the modules (and with each, those below it) that functions may come from; None
    allows all. Raises ValueError with the place of what is missing, unknown, of a wrong type, or not allowed."""
    if isinstance(allow, str):
        raise TypeError(f"allow must list modules, not be the text {allow!r}")
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"the pipeline is not a TOML document: {error}") from error
    version = raw.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise ValueError(f"format_version must be {FORMAT_VERSION}, not {version!r}")
    document = convert(raw, Document, "the document")
    declaration = Declaration(document.name)
    for place, table in _numbered("streams", document.streams):
        _add_stream(declaration, convert(table, Stream, place))
    for place, table in _numbered("events", document.events):
        event = convert(table, Event, place)
        declaration.add_event(event.name, initial_state=event.initial_state, description=event.description)
    for place, table in _numbered("tasks", document.tasks):
        _add_task(declaration, convert(table, Task, place), place, allow)
    for place, table in _numbered("excused_edges", document.excused_edges):
        edge = convert(table, Edge, place)
        declaration.excuse(edge.stream, edge.task)
    return declaration


def _numbered(section: str, tables: list[Table]) -> Iterator[tuple[str, Table]]:
    for number, table in enumerate(tables, 1):
        name = f" ({table['name']!r})" if "name" in table else ""
        yield f"[[{section}]] number {number}{name}", table


def _add_stream(declaration: Declaration, stream: Stream) -> None:
    declaration.add_stream(
        stream.name,
        shape=stream.shape,
        dtype=dtype_of_form(stream.dtype, f"stream {stream.name!r}"),
        frames=stream.frames,
        max_bytes=stream.max_bytes,
        cache_align=stream.cache_align,
        min_reader_pos_refresh_interval=stream.min_reader_pos_refresh_interval,
        min_reader_pos_refresh_s=stream.min_reader_pos_refresh_s,
        description=stream.description,
    )


def _add_task(declaration: Declaration, task: Task, place: str, allow: Sequence[str] | None) -> None:
    if task.control_mode in ("switchable", "toggleable") and task.control_event is None:
        raise ValueError(f"{place}: control_event is missing")
    declaration.add_task(
        task.name,
        fn=_function(task, place, allow),
        reads=task.reads,
        writes=task.writes,
        events=task.events,
        description=task.description,
        control=task.control_mode,
        activate_on=task.control_event,
        restarts=task.restarts,
        latest=task.latest,
    )


def _function(task: Task, place: str, allow: Sequence[str] | None) -> Function | None:
    module, qualname = task.function_module, task.function_qualname
    if module is None and qualname is None and task.control_mode == "terminator":
        return None
    if module is None or qualname is None:
        raise ValueError(f"{place}: {'function_module' if module is None else 'function_qualname'} is missing")
    try:
        return Function.named(module, qualname, allow)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _render(path: str, table: Table) -> str:
    """By section, because tomli_w alone would fold short tables into one line."""
    nested = {key: value for key, value in table.items() if isinstance(value, dict) or _is_list_of_tables(value)}
    text = tomli_w.dumps({key: value for key, value in table.items() if key not in nested})
    for key, value in nested.items():
        inner = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            text += f"\n[{inner}]\n{_render(inner, value)}"
        else:
            text += "".join(f"\n[[{inner}]]\n{_render(inner, entry)}" for entry in value)
    return text


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _stream_table(stream: StreamSpec) -> Table:
    depth = {"frames": stream.frames} if stream.max_bytes is None else {"max_bytes": stream.max_bytes}
    return {
        "name": stream.name,
        "shape": list(stream.shape),
        "dtype": form_of_dtype(stream.dtype, f"stream {stream.name!r}"),
        **depth,
        "cache_align": stream.cache_align,
        "min_reader_pos_refresh_interval": stream.min_reader_pos_refresh_interval,
        "min_reader_pos_refresh_s": stream.min_reader_pos_refresh_s,
        **_set(description=stream.description),
    }


def _event_table(event: EventSpec) -> Table:
    return {"name": event.name, "initial_state": event.initial_state, **_set(description=event.description)}


def _task_table(task: TaskSpec) -> Table:
    try:
        module, qualname = task.function.address() if task.function else (None, None)
    except ValueError as error:
        raise ValueError(f"task {task.name!r}: {error}") from error
    return {
        "name": task.name,
        **_set(
            function_module=module,
            function_qualname=qualname,
            description=task.description,
            control_mode=task.control,
            control_event=task.activate_on,
            restarts=task.restarts or None,
            latest=list(task.latest) or None,
            reads=dict(sorted(task.reads.items())) or None,
            writes=dict(sorted(task.writes.items())) or None,
            events=dict(sorted(task.events.items())) or None,
        ),
    }


def _set(**values: object) -> Table:
    return {key: value for key, value in values.items() if value is not None}
