"""What of a pipeline is more than its declaration: rings, events, processes."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable

from cortex.shm.checking import check
from cortex.shm.declaration import Declaration, StreamSpec, TaskSpec
from cortex.shm.event import Event
from cortex.shm.monitor import Sampler
from cortex.shm.ring import Ring
from cortex.shm.supervisor import Hand, Supervisor
from cortex.shm.task import Job, Place


class Live:
    """`order`: the tasks as they are started, None before `compile`; `readers`: those of each stream in the order of
    their places in its ring."""

    def __init__(self, declaration: Declaration, start_method: str) -> None:
        self.declaration = declaration
        self.rings: dict[str, Ring] = {}
        self.events: dict[str, Event] = {}
        self.readers: dict[str, list[str]] = {}
        self.order: list[str] | None = None
        self.hands: dict[str, Hand] = {}
        self.supervisor: Supervisor | None = None
        self.sampler = Sampler(self.hands, self.rings)
        self._functions: dict[str, bytes] = {}
        self._context = multiprocessing.get_context(start_method)

    def event(self, name: str) -> Event:
        """Raises `KeyError`."""
        if name not in self.events:
            self.events[name] = Event(name, initial_state=self.declaration.events[name].initial_state)
        return self.events[name]

    def compile(self) -> None:
        """Can be repeated when it failed."""
        order = check(self.declaration, stacklevel=4)
        self._functions = {name: _pickled(task) for name, task in self.declaration.tasks.items()}
        self.readers = _readers(self.declaration)
        for name in self.declaration.events:
            self.event(name)
        try:
            for name, stream in self.declaration.streams.items():
                self.rings[name] = _ring(stream, len(self.readers[name]))
        except BaseException:
            self._give_back_rings()
            raise
        self.order = order

    def start(self, may_rest: Callable[[], bool]) -> None:
        tasks = self.declaration.tasks
        for name in self.order or ():
            if tasks[name].function is not None:
                self.hands[name] = self._hand(tasks[name])
        self.supervisor = Supervisor(self._context, self.hands, may_rest)
        self.supervisor.start()

    def give_back(self) -> None:
        self._give_back_rings()
        for event in self.events.values():
            event.close()
        self.events.clear()

    def _give_back_rings(self) -> None:
        for ring in self.rings.values():
            ring.close()
        self.rings.clear()

    def _hand(self, task: TaskSpec) -> Hand:
        events = {local: self.events[event] for local, event in task.events.items()}
        control = None if task.activate_on is None else events.pop(task.activate_on)
        job = Job(
            name=task.name,
            function=self._functions[task.name],
            reads={local: self._place(stream, task, local in task.latest) for local, stream in task.reads.items()},
            writes={local: self.rings[stream] for local, stream in task.writes.items()},
            events=events,
            control=control,
            resets=task.control == "toggleable",
        )
        return Hand(job, task.restarts)

    def _place(self, stream: str, task: TaskSpec, latest: bool) -> Place:
        return Place(self.rings[stream], self.readers[stream].index(task.name), latest)


def _pickled(task: TaskSpec) -> bytes:
    try:
        return pickle.dumps(task.function)
    except Exception as error:
        raise ValueError(
            f"The function of the task {task.name!r} cannot be sent to a process ({error}); "
            "it must stand at the top level of a module."
        ) from error


def _readers(declaration: Declaration) -> dict[str, list[str]]:
    """Terminators take no place: they let their streams run."""
    readers: dict[str, list[str]] = {name: [] for name in declaration.streams}
    for task in declaration.tasks.values():
        if task.control != "terminator":
            for stream in task.reads.values():
                readers[stream].append(task.name)
    return readers


def _ring(stream: StreamSpec, readers: int) -> Ring:
    """Every reader is waited for from the first frame on."""
    ring = Ring(
        stream.name,
        shape=stream.shape,
        dtype=stream.dtype,
        frames=stream.frames,
        readers=max(readers, 1),
        supervised=True,
    )
    for place in range(readers):
        ring.expect(place)
    return ring
