"""Operators that tell how many of them are at work at a time, gates at which they wait, and a way to install them.

The text of a file names its gate.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import time
from contextlib import suppress
from errno import ENXIO
from pathlib import Path
from typing import Any

from distributions import offer

from cortex import MediaNode, NodeContext, NodeOptions, OutputKey

FIRST, SECOND, BESIDE = "crowd.first", "crowd.second", "crowd.beside"
PLACES = 8


class CrowdOptions(NodeOptions):
    """`folder` has a file for each place, and pipes as gates; `tag` is the ending of the names of this node's gates.
    `stay_s`: how long a file stays in the node besides."""

    folder: str
    tag: str = ""
    stay_s: float = 0.0


class First(MediaNode[CrowdOptions]):
    """Takes the first place that is free, waits at the gate of its file if there is one, and tells the place."""

    operator = FIRST
    capabilities = frozenset({"gpu"})
    reads = ()
    PLACE = OutputKey("place", int)

    def compute(self, ctx: NodeContext, media: Any) -> None:
        place, descriptor = self._take()
        try:
            gate = Path(self.options.folder, self._name(media) + self.options.tag)
            with suppress(FileNotFoundError), gate.open("rb", buffering=0) as pipe:
                pipe.read(1)
            time.sleep(self.options.stay_s)
        finally:
            os.close(descriptor)
        ctx.output(self.PLACE, place)

    def _name(self, media: Any) -> str:
        return str(media.text().split()[0])

    def _take(self) -> tuple[int, int]:
        for place in itertools.count():
            descriptor = os.open(Path(self.options.folder, f"place-{self.operator}-{place}"), os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return place, descriptor
        raise AssertionError


class Second(First):
    operator = SECOND


class Beside(First):
    """The same in the threads of the parent, where the name of the file names the gate."""

    operator = BESIDE
    capabilities = frozenset({"network"})

    def _name(self, media: Any) -> str:
        return Path(media.path).stem


class Gates:
    """Pipes at which operators wait, each until it is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for operator, place in itertools.product((FIRST, SECOND, BESIDE), range(PLACES)):
            (folder / f"place-{operator}-{place}").touch()
        self._held: dict[str, int] = {}
        self._opened: list[int] = []

    def make(self, *names: str) -> None:
        for name in names:
            os.mkfifo(self.folder / name)

    def reached(self) -> list[str]:
        """The gates at which somebody stands."""
        names = sorted(path.name for path in self.folder.iterdir() if path.is_fifo())
        return [name for name in names if self._has_someone(name)]

    def _has_someone(self, name: str) -> bool:
        """Whoever has found the gate shut waits for as long as it is held open for writing."""
        try:
            descriptor = os.open(self.folder / name, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != ENXIO:
                raise
            return False
        if name in self._held:
            os.close(descriptor)
        else:
            self._held[name] = descriptor
        return True

    def who_stands_at(self, name: str) -> int:
        """The process that does."""
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                found = os.readlink(link) == str(self.folder / name)
            except OSError:
                continue
            if found and int(link.parts[2]) != os.getpid():
                return int(link.parts[2])
        raise AssertionError(f"nobody stands at {name}")

    def open(self, *names: str) -> None:
        """Lets all pass from now on."""
        for name in names:
            self._opened.append(os.open(self.folder / name, os.O_RDWR | os.O_NONBLOCK))
            os.write(self._opened[-1], b"x" * PLACES)
            (self.folder / name).unlink()

    def open_all(self) -> None:
        self.open(*(path.name for path in self.folder.iterdir() if path.is_fifo()))

    def close(self) -> None:
        """Lets all pass; nobody may come any more."""
        self.open_all()
        for descriptor in (*self._held.values(), *self._opened):
            os.close(descriptor)
        self._held, self._opened = {}, []


def node(gates: Gates, operator: str, **options: Any) -> dict[str, Any]:
    """A node for a definition, named as the last word of its operator."""
    config = {"folder": str(gates.folder), **options}
    return {"id": operator.rpartition(".")[2], "operator": operator, "config": config}


def install(site: Path) -> str:
    """Makes a distribution that offers the operators in the folder `site`; returns the PYTHONPATH that has it."""
    return offer(site, "crowd", First, Second, Beside)
