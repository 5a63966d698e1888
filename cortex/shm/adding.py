"""How tasks are added to a pipeline: `add_task(...)`, `add_task.switchable(...)` and so on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

if TYPE_CHECKING:
    from cortex.shm.pipeline import Pipeline

F = TypeVar("F", bound=Callable[..., Any])
Names = Mapping[str, str]


class TaskAdder:
    """`reads`, `writes` and `events` map the argument names of the function to names of streams and events.

    `restarts`: how often the task is started again when it fails or dies; unread frames wait for it meanwhile.
    `latest`: argument names of streams of which it always wants the newest frame, without holding the writer back.

    All raise `ValueError` for a name given twice and for bindings that cannot be, and `RuntimeError` when the pipeline
    is closed or compiled.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    @overload
    def __call__(
        self,
        name: str,
        *,
        fn: None = None,
        reads: Names | None = None,
        writes: Names | None = None,
        events: Names | None = None,
        description: str | None = None,
        restarts: int = 0,
        latest: Iterable[str] = (),
    ) -> Callable[[F], F]: ...
    @overload
    def __call__(
        self,
        name: str,
        *,
        fn: Callable[..., Any],
        reads: Names | None = None,
        writes: Names | None = None,
        events: Names | None = None,
        description: str | None = None,
        restarts: int = 0,
        latest: Iterable[str] = (),
    ) -> Pipeline: ...
    def __call__(self, name: str, *, fn: Callable[..., Any] | None = None, **bound: Any) -> Pipeline | Callable[[F], F]:
        """A task that runs once. Without `fn` it is a decorator, which gives the function back unchanged."""
        if fn is not None:
            return self._add(name, fn=fn, **bound)

        def decorate(function: F) -> F:
            self._add(name, fn=function, **bound)
            return function

        return decorate

    def switchable(self, name: str, *, activate_on: str, fn: Callable[..., Any], **bound: Any) -> Pipeline:
        """Waits until the event (an argument name among `events`) is open, and calls the function again and again
        while it is. The event is not passed to the function."""
        return self._add(name, fn=fn, control="switchable", activate_on=activate_on, **bound)

    def toggleable(self, name: str, *, activate_on: str, fn: Callable[..., Any], **bound: Any) -> Pipeline:
        """Waits until the event is open, resets it once, and calls the function: once for each time that it was
        signalled. The event is not passed to the function."""
        return self._add(name, fn=fn, control="toggleable", activate_on=activate_on, **bound)

    def terminator(self, name: str, *, reads: Names, description: str | None = None) -> Pipeline:
        """Stands for a reader where none is needed: its streams run as if nobody read them. Takes no process."""
        return self._add(name, fn=None, control="terminator", reads=reads, description=description)

    def _add(self, name: str, **said: Any) -> Pipeline:
        self._pipeline.check_declaring()
        self._pipeline.declaration.add_task(name, **said)
        return self._pipeline
