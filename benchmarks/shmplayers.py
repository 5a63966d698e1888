"""Who does what in which case, the same for all that carry frames; and the line on which a player gets its orders.

Players are processes that live as long as their section: a run of half a second then measures frames alone, not the
start of processes. Needs NumPy alone: this also runs in the Python of a peer's own environment.
"""

from __future__ import annotations

import json
import platform
import socket
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol, TextIO

import numpy as np
from shmframes import SIZES, Found, Frame, Frames, Put, hand_on, picture, ping, receive, send, words


class Hands(Protocol):
    """How something that carries frames is used. Whoever waits in vain for long raises."""

    def writing(self, end: Any) -> Put: ...

    def writing_views(self, end: Any) -> Put:
        """One copy, straight into the place where the frame is read."""

    def reading(self, end: Any, out: Frame) -> Frames: ...

    def reading_views(self, end: Any) -> Frames: ...

    def reads_nothing(self, end: Any, out: Frame, seconds: float) -> bool:
        """Waits that long for a frame that does not come."""


class Case(NamedTuple):
    """`tasks`: role, stream read, stream written."""

    tasks: tuple[tuple[str, str, str], ...]
    sizes: tuple[str, ...] = tuple(SIZES)
    frames: int = 32


VIEW_FRAMES = 4
"""Of 1920x1080x3: less than 25 MB."""

CASES = {
    "one": Case((("sender", "", "a"), ("receiver", "a", ""))),
    "readers": Case((("sender", "", "a"), *[("receiver", "a", "")] * 3)),
    "chain": Case((("sender", "", "a"), ("stage", "a", "b"), ("receiver", "b", ""))),
    "views": Case((("view sender", "", "a"), ("viewer", "a", "")), ("1920x1080x3",), VIEW_FRAMES),
    "trip": Case((("ping", "b", "a"), ("pong", "a", "b")), ("1 KiB",)),
    "idle": Case((("keeper", "", "a"), ("idler", "a", "")), ("1 KiB",)),
}


class Part(NamedTuple):
    """Everything that a player needs to know but for its order."""

    address: str
    system: str
    players: int
    role: str


class Order(NamedTuple):
    size: str
    seconds: float
    mark: int


def play(part: Part, do: Callable[[Order], Found]) -> None:
    """Does what it is told on the line until that is closed."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(part.address)
        with line.makefile("rw") as file:
            tell(file, {**part._asdict(), "python": platform.python_version()})
            for order in file:
                tell(file, do(Order(**json.loads(order))))


def tell(file: TextIO, what: Found) -> None:
    file.write(json.dumps(what) + "\n")
    file.flush()


def act(hands: Hands, role: str, read: Any, write: Any, order: Order) -> Found:
    """One run of one player. `read`, `write`: its ends of the streams, if it has any."""
    size, seconds, mark = order
    frame = picture(size)
    match role:
        case "sender":
            return send(hands.writing(write), frame, seconds, mark)
        case "receiver":
            return receive(hands.reading(read, frame), mark)
        case "view sender":
            return send(hands.writing_views(write), frame, seconds, mark)
        case "viewer":
            return receive(hands.reading_views(read), mark)
        case "stage":
            return hand_on(hands.reading_views(read), hands.writing(write), SIZES[size], mark)
        case "ping":
            return ping(hands.writing(write), hands.reading(read, np.empty_like(frame)), frame, seconds, mark)
        case "pong":
            return hand_on(hands.reading(read, frame), hands.writing(write), SIZES[size], mark)
        case "idler":
            return idle(hands, read, frame, seconds)
    return {}


def idle(hands: Hands, read: Any, frame: Frame, seconds: float) -> Found:
    """CPU time of the whole process, % of a core."""
    cpu, start = time.process_time(), time.perf_counter()
    if not hands.reads_nothing(read, frame, seconds):
        raise RuntimeError(f"frame {words(frame)[0]} came, and nobody had sent it")
    return {"cpu": (time.process_time() - cpu) / (time.perf_counter() - start) * 100}


def build(pipe: Any, case: str, system: str, address: str, task: Callable[..., None], **settings: Any) -> None:
    """Declares a case as a pipeline of tasks, in the words that PYTHUSA and `cortex.shm` have in common.

    `task`: takes a `Part`, and the streams of each size as `in_0`, `out_0` and so on.
    """
    tasks, sizes, frames = CASES[case]
    run = uuid.uuid4().hex[:8]
    written = sorted({writes for *_, writes in tasks if writes})
    names = {stream: [f"{stream}{number}-{run}" for number in range(len(sizes))] for stream in written}
    for streams in names.values():
        for name, size in zip(streams, sizes, strict=True):
            pipe.add_stream(name, shape=SIZES[size], dtype=np.uint8, frames=frames, **settings)
    for number, (role, reads, writes) in enumerate(tasks):
        pipe.add_task(
            f"{role}{number}",
            fn=partial(task, Part(address, system, len(tasks), role)),
            reads={f"in_{n}": name for n, name in enumerate(names.get(reads, []))},
            writes={f"out_{n}": name for n, name in enumerate(names.get(writes, []))},
        )
    for name in names["b"] if case == "trip" else ():
        pipe.add_excused_edge(name, "ping0")


def perform(hands: Hands, part: Part, case: str, streams: dict[str, Any]) -> None:
    """A task of such a pipeline."""

    def do(order: Order) -> Found:
        number = CASES[case].sizes.index(order.size)
        return act(hands, part.role, streams.get(f"in_{number}"), streams.get(f"out_{number}"), order)

    play(part, do)
