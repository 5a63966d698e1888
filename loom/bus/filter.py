"""Which events a listener wants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self
from uuid import UUID

from loom.errors import LoomError
from loom.events import ActionEvent, AssetEvent, DuplicateEvent, Event, NodeEvent, RunEvent, RunHead

TYPES = frozenset({"node", "run", "asset", "duplicate", "action", "progress"})
NO_TYPE = frozenset({"none"})
"""For those who only publish."""

STATUSES = frozenset(
    {
        *("STARTED", "PAUSED", "RESUMED", "COMPLETED", "PARTIAL", "SKIPPED", "FAILED", "CANCELLED"),
        *("PENDING", "CONFIRMED", "REJECTED", "GONE", "DONE", "UNDONE"),
    }
)
MAX_VALUES = 100


class Filter(NamedTuple):
    """An empty field lets all pass, a field with values those that have one of them. What has no node (all but
    nodes) does not pass a filter by node, what has no asset (runs, groups of duplicates) none by asset, what belongs to
    no run (groups, actions of people) none by run or pipeline. `hello` and `gap` always pass."""

    pipelines: frozenset[str] = frozenset()
    runs: frozenset[UUID] = frozenset()
    nodes: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    assets: frozenset[bytes] = frozenset()  # as `asset_key` has them

    @classmethod
    def parse(
        cls,
        pipeline: Iterable[str] = (),
        run: Iterable[str] = (),
        node: Iterable[str] = (),
        status: Iterable[str] = (),
        type: Iterable[str] = (),  # noqa: A002
        asset: Iterable[str] = (),
    ) -> Self:
        """From texts as they stand in an address: several values by repeating the field or by commas. Raises
        `REQUEST_INVALID`."""
        return cls(
            pipelines=_values(pipeline),
            runs=frozenset(_uuid(text, "a run") for text in _values(run)),
            nodes=_values(node),
            statuses=_known(_values(status), STATUSES, "status"),
            types=types if (types := _values(type)) == NO_TYPE else _known(types, TYPES, "type"),
            assets=frozenset(asset_key(_uuid(text, "an asset").bytes) for text in _values(asset)),
        )

    @property
    def is_nothing(self) -> bool:
        return self.types == NO_TYPE

    def wants(self, run: RunHead, event: Event) -> bool:
        if not self._wants_run(run) or (self.statuses and event.status not in self.statuses):
            return False
        if self.nodes and not (type(event) is NodeEvent and event.node in self.nodes):
            return False
        if self.assets and not self._wants_asset(event):
            return False
        return not self.types or type_of(event) in self.types

    def wants_progress(self, run: RunHead) -> bool:
        """Progress has neither node nor status nor asset: where these are asked for, it must be asked for by type."""
        if not self._wants_run(run):
            return False
        return "progress" in self.types if self.types else not (self.nodes or self.statuses or self.assets)

    def _wants_asset(self, event: Event) -> bool:
        return not isinstance(event, RunEvent | DuplicateEvent) and asset_key(event.asset) in self.assets

    def _wants_run(self, run: RunHead) -> bool:
        return (not self.pipelines or run.pipeline in self.pipelines) and (not self.runs or run.uuid in self.runs)


EVERYTHING = Filter()


def asset_key(raw: bytes) -> bytes:
    """What the bytes of an asset's UUID have in common with its BLAKE3: 104 bits, had without making a UUID."""
    return raw[:6] + raw[9:16]


def type_of(event: Event) -> str:
    if type(event) is NodeEvent:
        return "node"
    return _TYPE_OF[type(event)]


_TYPE_OF: dict[type[Event], str] = {
    AssetEvent: "asset",
    RunEvent: "run",
    DuplicateEvent: "duplicate",
    ActionEvent: "action",
}


def _values(texts: Iterable[str]) -> frozenset[str]:
    values = frozenset(part.strip() for text in texts for part in text.split(",") if part.strip())
    if len(values) > MAX_VALUES:
        raise LoomError("REQUEST_INVALID", f"A filter takes at most {MAX_VALUES} values.")
    return values


def _known(values: frozenset[str], known: frozenset[str], field: str) -> frozenset[str]:
    if unknown := values - known:
        raise LoomError(
            "REQUEST_INVALID", f"There is no {field} {min(unknown)[:40]!r}; it is one of {', '.join(sorted(known))}."
        )
    return values


def _uuid(text: str, of: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise LoomError("REQUEST_INVALID", f"{text[:40]!r} is not the UUID of {of}.") from None
