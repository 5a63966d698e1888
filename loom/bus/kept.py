"""The newest events, kept in a file from one process to the next, so that who listens goes on where they were."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from loom.events import AssetEvent, Event, NodeEvent, RunEvent, RunHead

_KINDS: tuple[type[Event], ...] = (NodeEvent, AssetEvent, RunEvent)


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    """The number of its run among the heads, and what it is."""

    run: int
    kind: int
    event: msgspec.Raw


class _Document(msgspec.Struct, frozen=True):
    last: int
    runs: list[RunHead]
    events: list[_Entry]


class KeptEvents:
    """A file of events. Of what a crash, or another version, has left there nothing is taken."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> tuple[int, list[tuple[RunHead, Event]]]:
        """The number of the last event, and events up to it; none when there is no such file."""
        try:
            kept = msgspec.msgpack.decode(self._path.read_bytes(), type=_Document)
            decoders = [msgspec.msgpack.Decoder(kind).decode for kind in _KINDS]
            return kept.last, [(kept.runs[one.run], decoders[one.kind](one.event)) for one in kept.events]
        except (OSError, msgspec.DecodeError, IndexError):
            return 0, []

    def store(self, last: int, events: Sequence[tuple[RunHead, Event]]) -> None:
        """Best effort: without it listeners are told of a gap."""
        encode = msgspec.msgpack.Encoder().encode
        runs: dict[RunHead, int] = {}
        entries = [
            _Entry(runs.setdefault(run, len(runs)), _KINDS.index(type(event)), msgspec.Raw(encode(event)))
            for run, event in events
        ]
        part = self._path.with_name(f"{self._path.name}.part")
        with suppress(OSError):
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(encode(_Document(last, list(runs), entries)))
            part.replace(self._path)
