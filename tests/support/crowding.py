"""An ingest that goes on in a thread while a test looks at who is at work, who waits, and changes how many may be."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from crowds import Gates
from ingests import Story
from programs import until
from sandboxes import processes_of

from cortex.engine.board import WAITING
from cortex.engine.concurrency import smallest
from cortex.engine.crew import Hand
from cortex.engine.supervisor import Supervisor
from loom.verbs import Loom


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


class Ingesting:
    """An ingest that goes on in a thread, over files of which each may have a gate."""

    def __init__(self, story: Story, gates: Gates) -> None:
        self.story = story
        self.gates = gates
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.story.ended = self.story.ingest.run()
        except BaseException as error:
            self.error = error

    @property
    def loom(self) -> Loom:
        assert self.story.ingest.loom is not None
        return self.story.ingest.loom

    def limit(self, **limits: int) -> None:
        """Has Loom say so and no more than that, and waits until it holds."""
        named = {name.replace("_", "."): number for name, number in limits.items()}
        for name in {**self.loom.limits(), **named}:
            self.loom.set_limit(name, named.get(name))
        expected = smallest(self.story.ingest.helm._limits, named)
        until(lambda: self.supervisor is not None and self.supervisor._concurrency == expected)

    def lift_own(self) -> None:
        """This machine has no limits of its own any more."""
        self.story.ingest.helm._limits = {}

    @property
    def supervisor(self) -> Supervisor | None:
        return self.story.ingest._sandbox._supervisor

    @property
    def hands(self) -> list[Hand]:
        return [] if self.supervisor is None else list(self.supervisor.crew.hands)

    def waiting(self) -> int:
        """How many workers wait for their turn."""
        supervisor = self.supervisor
        return sum(supervisor.crew.page(hand).stage == WAITING for hand in self.hands) if supervisor else 0

    def who_waits(self, at_gate: str) -> int:
        """The process of the other of two workers."""
        at_work = self.gates.who_stands_at(at_gate)
        (pid,) = processes_of(os.getpid()) - {at_work, parent_of(at_work)}
        return pid

    def at_work(self, number: int, waiting: int = 0) -> list[str]:
        """Waits until so many stand at their gates and so many wait for their turn; returns the gates."""
        until(lambda: (len(self.gates.reached()), self.waiting()) == (number, waiting) or self.error)
        assert self.error is None, self.error
        return self.gates.reached()

    def ends(self) -> Story:
        self.gates.open_all()
        self.thread.join(60)
        assert not self.thread.is_alive()
        assert self.error is None, self.error
        return self.story
