"""What kept an ingest from files, folders and sources, or from going on at all: no node has failed there."""

from __future__ import annotations

from collections.abc import Sequence

from loom.errors import LoomError
from loom.model import Problem
from loom.problems import MOST_PROBLEMS


class Problems:
    """The first `MOST_PROBLEMS`; `total` counts all."""

    def __init__(self) -> None:
        self.kept: list[Problem] = []
        self.total = 0

    def note(self, problem: Problem) -> None:
        self.total += 1
        if len(self.kept) < MOST_PROBLEMS:
            self.kept.append(problem)

    def passed_over(self, paths: Sequence[bytes], total: int) -> None:
        """Pipes, sockets and devices, `total` of them."""
        for path in paths:
            self.note(Problem(path, "NOT_A_REGULAR_FILE", LoomError("NOT_A_REGULAR_FILE").message))
        self.total += total - len(paths)

    def broke(self, error: BaseException) -> None:
        """What ended the ingest goes before all that was met on the way."""
        if isinstance(error, LoomError):
            first = Problem(b"", error.code, error.message)
        else:
            first = Problem(b"", "INTERNAL", f"{type(error).__name__}: {error}")
        self.total += 1
        self.kept = [first, *self.kept[: MOST_PROBLEMS - 1]]
