"""Reports as JSON, one object a line, for programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import msgspec

from cortex.engine.summary import nothing_done
from cortex.engine.telling import Failure, Status
from cortex.report.output import Output
from loom.ending import say

_EVENT = b'\n{"message_type":"event",'


class LineReporter:
    """Writes every report as a line with its `message_type`; notes that are for people alone go to stderr."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = Output(out or sys.stdout)
        self._done = nothing_done()

    @property
    def lost(self) -> OSError | None:
        return self._out.lost

    def begin(self, pipelines: list[str], *, dry_run: bool) -> None:
        """Nothing to say before there is something to count."""

    def status(self, status: Status) -> None:
        left = None if status.seconds_left is None else round(status.seconds_left, 1)
        self._write("status", {**status._asdict(), "seconds": round(status.seconds, 3), "seconds_left": left})

    def failure(self, failure: Failure) -> None:
        self._write("failure", failure._asdict())

    def events(self, events: Sequence[bytes]) -> None:
        lines = _EVENT.join([event[1:] for event in events])
        self._out.write(f"{(_EVENT[1:] + lines).decode()}\n")

    def note(self, text: str, facts: Mapping[str, Any] | None = None) -> None:
        if facts is None:
            say(text)
        else:
            self._write("note", {**facts, "message": text})

    def broken(self, summary: dict[str, Any]) -> None:
        self._done = summary

    def summary(self, summary: dict[str, Any]) -> None:
        self._write("summary", summary)

    def error(self, code: str, message: str, exit_code: int) -> None:
        """A summary comes last in any case."""
        self._write("error", {"code": code, "message": message, "exit_code": exit_code})
        self.summary(self._done)
        if self.lost is not None:
            self.note(f"{code}: {message}")

    def close(self) -> None:
        """Nothing is held."""

    def _write(self, message_type: str, fields: dict[str, Any]) -> None:
        line = msgspec.json.encode({"message_type": message_type, **fields}).decode()
        self._out.write(f"{line}\n")
        self._out.flush()
