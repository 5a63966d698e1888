"""Whether the parts of a declaration fit together, and in which order its tasks start."""

from __future__ import annotations

import inspect
import warnings
from collections import Counter
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from cortex.shm.declaration import Declaration, TaskSpec


class UnknownName(KeyError, ValueError):  # noqa: N818 - named after what it finds, like EndOfStream
    """A binding leads to a stream or event that is not declared."""

    __str__ = Exception.__str__


def check(declaration: Declaration, *, stacklevel: int = 2) -> list[str]:
    """The names of the tasks in the order in which to start them: who reads a stream before who writes it, else as
    registered. Functions that were only named are imported. `stacklevel` says, as in `warnings.warn`, whose line a
    warning shows: 2 is the caller's.

    Raises UnknownName for a stream or event that is not declared and ValueError for everything else: functions that
    are not found or do not take what is bound, streams without exactly one writer and at least one reader, cycles."""
    _warn_of_shared_events(declaration, stacklevel)
    writers: dict[str, str] = {}
    for task in declaration.tasks.values():
        _check_local_names(task)
        _check_function(task)
        _check_streams(declaration, task, writers)
        _check_known("event", task, task.events.values(), declaration.events)
    _check_both_ends(declaration, writers)
    return _start_order(declaration, writers)


def _warn_of_shared_events(declaration: Declaration, stacklevel: int) -> None:
    for event in declaration.events:
        users = [task.name for task in declaration.tasks.values() if event in task.events.values()]
        if len(users) > 2:
            warnings.warn(
                f"event {event!r} is bound into {len(users)} tasks ({', '.join(map(repr, users))}): whoever resets it "
                f"first takes the activation from the others; give each consumer an event of its own",
                stacklevel=stacklevel + 1,
            )


def _check_local_names(task: TaskSpec) -> None:
    uses = Counter([*task.reads, *task.writes, *task.events])
    for local, count in uses.items():
        if count > 1:
            raise ValueError(f"task {task.name!r}: the local name {local!r} is bound {count} times")
    for local in task.latest:
        if local not in task.reads:
            raise ValueError(f"task {task.name!r}: latest names {local!r}, which is not among its reads")


def _check_function(task: TaskSpec) -> None:
    if task.function is None:
        return
    try:
        function = task.function.resolve()
    except ValueError as error:
        raise ValueError(f"task {task.name!r}: {error}") from error
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # some functions written in C do not tell
        return
    passed = [local for local in [*task.reads, *task.writes, *task.events] if local != task.activate_on]
    _check_accepts(task, signature, passed)
    _check_all_bound(task, signature, passed)


def _check_accepts(task: TaskSpec, signature: inspect.Signature, passed: Iterable[str]) -> None:
    kinds = {name: parameter.kind for name, parameter in signature.parameters.items()}
    takes_any = inspect.Parameter.VAR_KEYWORD in kinds.values()
    by_keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    for local in passed:
        if takes_any or kinds.get(local) in by_keyword:
            continue
        if kinds.get(local) is inspect.Parameter.POSITIONAL_ONLY:
            raise ValueError(f"task {task.name!r}: its function takes {local!r} by position only, not by name")
        raise ValueError(
            f"task {task.name!r}: its function has no argument {local!r}, which is bound; it has {signature}"
        )


def _check_all_bound(task: TaskSpec, signature: inspect.Signature, passed: Iterable[str]) -> None:
    gathering = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    for name, parameter in signature.parameters.items():
        if parameter.default is not parameter.empty or parameter.kind in gathering:
            continue
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise ValueError(f"task {task.name!r}: its function takes {name!r} by position only, not by name")
        if name == task.activate_on:
            raise ValueError(
                f"task {task.name!r}: its function has the argument {name!r}, but the event that activates a task "
                f"is not handed to its function"
            )
        if name not in passed:
            raise ValueError(f"task {task.name!r}: the argument {name!r} of its function is not bound to anything")


def _check_streams(declaration: Declaration, task: TaskSpec, writers: dict[str, str]) -> None:
    _check_known("stream", task, task.reads.values(), declaration.streams)
    _check_known("stream", task, task.writes.values(), declaration.streams)
    for stream in task.writes.values():
        if stream in writers:
            raise ValueError(f"stream {stream!r} has two writers: the tasks {writers[stream]!r} and {task.name!r}")
        writers[stream] = task.name


def _check_known(what: str, task: TaskSpec, names: Iterable[str], known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise UnknownName(f"task {task.name!r} is bound to the {what} {name!r}, which is not declared")


def _check_both_ends(declaration: Declaration, writers: dict[str, str]) -> None:
    for stream in declaration.streams:
        if stream not in writers:
            raise ValueError(f"stream {stream!r} has no writer: no task writes it")
        if not any(stream in task.reads.values() for task in declaration.tasks.values()):
            raise ValueError(f"stream {stream!r} has no reader: bind it to a task, or to a terminator")


def _start_order(declaration: Declaration, writers: dict[str, str]) -> list[str]:
    sorter = TopologicalSorter(dict.fromkeys(declaration.tasks, ()))
    for task in declaration.tasks.values():
        for stream in task.reads.values():
            if (stream, task.name) not in declaration.excused:
                sorter.add(writers[stream], task.name)
    try:
        return list(sorter.static_order())
    except CycleError as error:
        circle = " -> ".join(repr(name) for name in reversed(error.args[1]))
        raise ValueError(f"the tasks form a cycle: {circle}; excuse one of its edges if that is meant") from None
