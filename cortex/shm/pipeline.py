"""Process pipelines: tasks that run in processes of their own, streams of NumPy frames between them in shared memory,
events that control them."""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, overload
from uuid import UUID, uuid4

from cortex.shm.adding import TaskAdder
from cortex.shm.declaration import Declaration
from cortex.shm.event import Event
from cortex.shm.live import Live
from cortex.shm.onlookers import Onlookers
from cortex.shm.ring import Ring
from cortex.shm.telling import Listener

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from cortex.shm.monitor import ProcessMetrics
    from loom.processes import ProcessPipeline

StartMethod = Literal["spawn", "forkserver"]

_open: set[Pipeline] = set()
"""Those that were started and not closed: they are kept until the program ends, as their processes are."""


class Pipeline:
    """A graph of tasks, declared part by part, then started once.

    Tasks are functions; each runs in a process of its own and is called once, with the streams and events that are
    bound to it as keyword arguments (`Reader`, `Writer`, `Event`). No function is called before all are ready, so that
    no frame is lost at the start. A task that returns, or lets `EndOfStream` through, is done; its readers get
    `EndOfStream` once they have read all.

    `start_method`: how processes are made, `spawn` or `forkserver`. As with all of `multiprocessing`, a script that
    starts a pipeline needs `if __name__ == "__main__":`.

    Used as a context manager it is closed at the end of the block.
    """

    def __init__(self, name: str, *, start_method: StartMethod = "spawn") -> None:
        if start_method not in ("spawn", "forkserver"):
            raise ValueError(f"A pipeline's processes are started by spawn or forkserver, not by {start_method!r}.")
        self._set_up(Declaration(name), start_method)

    def _set_up(self, declaration: Declaration, start_method: StartMethod) -> None:
        self.declaration = declaration
        self.run_uuid: UUID = uuid4()
        self.add_task: TaskAdder = TaskAdder(self)
        self._live = Live(declaration, start_method)
        self._onlookers = Onlookers(self._live, self.run_uuid)
        self._is_closed = False
        self._nobody_signals = False

    @property
    def name(self) -> str:
        return self.declaration.name

    def __repr__(self) -> str:
        said = self.declaration
        return f"<Pipeline {self.name!r}: {len(said.tasks)} tasks, {len(said.streams)} streams>"

    def __enter__(self) -> Self:
        self._check_open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
    ) -> Self:
        """Declares a stream of frames of one shape and dtype, written by one task and read by others. `frames`: how
        many its ring holds, 32 when nothing is said; or `max_bytes`, as many as fit into so many bytes: large frames
        move fastest through a small ring (about 25 MB).

        `cache_align` and the two `min_reader_pos_refresh_...` are taken and kept for pipelines written for PYTHUSA and
        change nothing: slots are always aligned, and the writer looks for its readers whenever the ring looks full.

        Raises `ValueError` for a name given twice, a dtype whose values lie outside the frame (`object`), and numbers
        out of range; `TypeError` for values of another type; `RuntimeError` when the pipeline is closed or started.
        """
        self.check_declaring()
        self.declaration.add_stream(
            name,
            shape=shape,
            dtype=dtype,
            frames=frames,
            cache_align=cache_align,
            min_reader_pos_refresh_interval=min_reader_pos_refresh_interval,
            min_reader_pos_refresh_s=min_reader_pos_refresh_s,
            description=description,
            max_bytes=max_bytes,
        )
        return self

    def add_event(self, name: str, *, initial_state: bool = False, description: str | None = None) -> Self:
        """Declares a counted event. Raises `ValueError` for a name given twice."""
        self.check_declaring()
        self.declaration.add_event(name, initial_state=initial_state, description=description)
        return self

    def add_excused_edge(self, stream_name: str, consumer_task_name: str) -> Self:
        """Lets the edge from a stream to a task that reads it close a cycle. Raises `ValueError` when one of them is
        unknown, or it was said before."""
        self.check_declaring()
        self.declaration.excuse(stream_name, consumer_task_name)
        return self

    def event(self, name: str) -> Event:
        """The event, to be signalled or waited for by the program that owns the pipeline. Raises `KeyError`."""
        self._check_open()
        return self._live.event(name)

    def ring(self, name: str) -> Ring:
        """The ring of a stream, while the pipeline is compiled and not closed. Raises `KeyError`."""
        return self._live.rings[name]

    def compile(self) -> None:
        """Checks the graph and reserves the memory. Raises `ValueError` for what is wrong with the graph, and for
        functions that cannot be sent to a process, `ShmError` when there is not enough memory, `RuntimeError` the
        second time."""
        self._check_open()
        if self._live.order is not None:
            raise RuntimeError(f"The pipeline {self.name!r} was compiled already.")
        self._live.compile()

    def start(self) -> None:
        """Compiles if that was not done, and starts the tasks, those that read before those that write; returns while
        they get ready. Raises as `compile`."""
        self._check_open()
        if self._live.supervisor is not None:
            raise RuntimeError(f"The pipeline {self.name!r} was started already.")
        if self._live.order is None:
            self.compile()
        _open.add(self)
        self._live.start(lambda: self._nobody_signals)
        self._onlookers.start()

    def run(self) -> None:
        """`start`, then `join`. Ends too when only tasks are left that wait for events which none of the others can
        signal; a program that signals some from another thread calls `start` and `join`. Raises `TaskError`."""
        self.ends_by_itself()
        self.start()
        try:
            self.join()
        except KeyboardInterrupt:
            self.stop()
            raise

    def ends_by_itself(self) -> None:
        """Says that this program signals no event any more: the pipeline ends too when only tasks are left that wait
        for events which none of the others can signal."""
        self._nobody_signals = True

    def stop(self) -> None:
        """Tells all tasks to stop, and returns; who has not ended after a grace time is killed. Does nothing before
        `start`."""
        if self._live.supervisor is not None:
            self._live.supervisor.stop()

    def join(self, timeout: float | None = None) -> bool:
        """Waits until all tasks have ended, at most `timeout` seconds in all; whether they have. Raises `TaskError`
        when one of them has failed; the others were given time to finish what was written, then stopped. Does nothing
        before `start` and after `close`."""
        supervisor = self._live.supervisor
        if supervisor is None or self._is_closed:
            return True
        has_ended = supervisor.wait(timeout)
        if has_ended and supervisor.error is not None:
            raise supervisor.error
        return has_ended

    def close(self) -> None:
        """Stops all tasks, waits for their end and gives the memory back. Always returns. Does nothing the second
        time."""
        if self._is_closed:
            return
        self._is_closed = True
        _open.discard(self)
        if (supervisor := self._live.supervisor) is not None:
            supervisor.stop()
            supervisor.wait()
        self._onlookers.close()
        self._live.give_back()

    def start_monitor(self, interval_s: float = 0.05) -> Self:
        """Measures all tasks and rings every so many seconds from now on, or from `start` on. A second call changes
        the interval."""
        self._check_open()
        self._onlookers.measure_every(interval_s)
        return self

    @overload
    def metrics(self) -> dict[str, ProcessMetrics | None]: ...
    @overload
    def metrics(self, task_name: str) -> ProcessMetrics | None: ...
    def metrics(self, task_name: str | None = None) -> dict[str, ProcessMetrics | None] | ProcessMetrics | None:
        """The newest sample of a task, or of all; measured now when no monitor runs. None for one that has no process
        of its own, or none yet. Raises `KeyError` for an unknown task."""
        if task_name is not None and task_name not in self.declaration.tasks:
            raise KeyError(task_name)
        latest = self._onlookers.metrics()
        if task_name is not None:
            return latest.get(task_name)
        return {name: latest.get(name) for name in self.declaration.tasks}

    def account(self) -> ProcessPipeline:
        """How the pipeline stands, as it is told to others. Raises `RuntimeError` before `start` and after `close`."""
        self._check_open()
        if self._live.supervisor is None:
            raise RuntimeError(f"The pipeline {self.name!r} was not started.")
        return self._onlookers.account()

    def report_to(self, listener: Listener) -> Self:
        """Tells a Loom (a `LoomClient`) how the pipeline stands, about once a second while it runs, so that it is seen
        on Loom's page and in its metrics."""
        self._check_open()
        self._onlookers.tell(listener)
        return self

    def save(self, path: str | Path) -> Path:
        """Writes the declaration as TOML, and makes folders that are missing. Raises `ValueError` for a function that
        another program could not find."""
        from cortex.shm.text import to_toml

        text, path = to_toml(self.declaration), Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return path

    @classmethod
    def reconstruct(
        cls,
        path: str | Path,
        *,
        allow: Sequence[str] | None = None,
        start_method: StartMethod = "spawn",
    ) -> Self:
        """The pipeline that was saved. Imports nothing: the functions' modules are imported by `compile`. `allow`: the
        modules from which functions may come, with all below them; None for any. Raises `ValueError` for a file that
        says something wrong, unknown or not allowed."""
        from cortex.shm.text import from_toml

        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
        pipeline = cls.__new__(cls)
        pipeline._set_up(from_toml(text, allow=allow), start_method)
        return pipeline

    def check_declaring(self) -> None:
        """Raises `RuntimeError` when nothing can be added any more."""
        self._check_open()
        if self._live.order is not None:
            raise RuntimeError(f"The pipeline {self.name!r} was compiled already; nothing can be added to it.")

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError(f"The pipeline {self.name!r} was closed.")


@atexit.register
def _close_all() -> None:
    """Before `multiprocessing` waits for processes that nobody ended."""
    for pipeline in tuple(_open):
        pipeline.close()
