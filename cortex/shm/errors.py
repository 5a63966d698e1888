"""What can go wrong with rings and process pipelines."""

from __future__ import annotations


class ShmError(RuntimeError):
    """A ring or a pipeline cannot do what was asked of it."""


class EndOfStream(Exception):  # noqa: N818 - the end is no error: a task that lets it through has ended well
    """The writer is done and every frame was read. `is_broken`: it died or failed, so that frames may be missing."""

    def __init__(self, stream: str, *, is_broken: bool = False) -> None:
        super().__init__(f"The stream {stream!r} has {'broken off' if is_broken else 'ended'}.")
        self.stream = stream
        self.is_broken = is_broken

    def __reduce__(self) -> tuple[object, ...]:
        return _end_of_stream, (self.stream, self.is_broken)


def _end_of_stream(stream: str, is_broken: bool) -> EndOfStream:
    return EndOfStream(stream, is_broken=is_broken)


class NothingPendingError(ShmError):
    """There is no frame to step over, or none was prepared to be published."""


class TaskError(ShmError):
    """A task of a pipeline raised an error or died. `trace` is its traceback, empty when it died."""

    def __init__(self, task: str, reason: str, trace: str = "") -> None:
        super().__init__(f"The task {task!r} failed: {reason}" + (f"\n\n{trace.rstrip()}" if trace else ""))
        self.task = task
        self.reason = reason
        self.trace = trace
