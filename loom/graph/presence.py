"""Whether the values that nodes name can be there: which nodes every asset has gone through on its way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loom.graph.codes import error, warning
from loom.graph.diagnostics import Diagnostic
from loom.graph.draft import Draft, numbered
from loom.graph.named import NamedValue
from loom.graph.node_checks import Known
from loom.graph.order import ancestors, breadth_first, successors
from loom.graph.specs import OperatorSpec, Port
from loom.model import Branch, Kind

_MAX_KEYS = 10


def check_values(
    draft: Draft, known: Known, ids: Sequence[str], above: Sequence[int], kinds: frozenset[Kind]
) -> Iterator[Diagnostic]:
    """Named values that can never be there, and those that some assets lack. `above` are the ancestors of each node as
    bits, `kinds` those that the pipeline is for (empty: every kind)."""
    if any(known.values.values()):
        yield from _Presence(draft, known, ids, above, kinds or frozenset(Kind)).found()


class Fed(NamedTuple):
    """A node that takes derived files, the input for them, and the nodes and outputs that give some."""

    node: str
    port: Port
    givers: list[tuple[str, Port]]


def check_files(draft: Draft, known: Known, fed: Sequence[Fed], kinds: frozenset[Kind]) -> Iterator[Diagnostic]:
    """Derived files that some assets lack: where one of several is surely there, that is enough, and where the asset
    itself takes their place."""
    ids, after = numbered(draft)
    presence = _Presence(draft, known, ids, ancestors(after), kinds or frozenset(Kind))
    for node, port, givers in fed:
        if known.specs[node].sandboxed and not port.required:
            continue
        doubts = [(name, output, presence.doubt(node, name, of_files=True)) for name, output in givers]
        if doubts and all(doubt is not None for _, _, doubt in doubts):
            name, output, doubt = doubts[0]
            message = f"{name}.{output.key or output.id} does not come in at {port.id!r} for every asset: {doubt}"
            yield warning("VALUE_UNSURE", message, node=node)


class _Presence:
    def __init__(
        self, draft: Draft, known: Known, ids: Sequence[str], above: Sequence[int], kinds: frozenset[Kind]
    ) -> None:
        self._draft = draft
        self._known = known
        self._ids = ids
        self._above = above
        self._kinds = kinds
        self._number = {node: index for index, node in enumerate(ids)}
        self._passed = self._surely_passed()
        filters = (node for node, spec in known.specs.items() if spec.verdicts is not False and not spec.is_source)
        self._filters = sum(1 << self._number[node] for node in filters)

    def found(self) -> Iterator[Diagnostic]:
        for node, values in self._known.values.items():
            sound: list[NamedValue] = []
            for value in values:
                if not self._is_above(value.node, node):
                    continue
                if (message := self._never(value)) is not None:
                    yield error("VALUE_UNKNOWN", message, node=node, field=_field(value))
                else:
                    sound.append(value)
            yield from self._unsure(node, sound)

    def _is_above(self, node: str, below: str) -> bool:
        return node in self._number and bool(self._above[self._number[below]] >> self._number[node] & 1)

    def _never(self, value: NamedValue) -> str | None:
        """Why the value can never be there."""
        spec = self._known.specs.get(value.node)
        if spec is None or value.is_artifact or any(output.key == value.key for output in spec.values):
            return None
        keys = [output.key for output in spec.values]
        given = ", ".join(keys[:_MAX_KEYS]) + (" …" if len(keys) > _MAX_KEYS else "")
        return f"{value.node!r} ({spec.id}) gives no {value.key!r}; it gives {given or 'no values'}"

    def _unsure(self, node: str, values: Sequence[NamedValue]) -> Iterator[Diagnostic]:
        """Of values that stand in one list, one that is there is enough."""
        doubts = {value: doubt for value in values if (doubt := self.doubt(node, value.node)) is not None}
        settled = {value.among for value in values if value.among and value not in doubts}
        for value, doubt in doubts.items():
            if value.among not in settled:
                message = f"{value.node}.{value.key} is not there for every asset: {doubt}"
                yield warning("VALUE_UNSURE", message, node=node, field=_field(value))

    def doubt(self, node: str, name: str, *, of_files: bool = False) -> str | None:
        """Why an asset may come to `node` without a result of the node called `name`. `of_files`: the kinds that `node`
        is for are those of derived files."""
        named, own = self._draft.nodes[name], self._draft.nodes[node]
        spec = self._known.specs.get(name)
        if "enabled" in named.options or self._known.configs.get(name, {}).get("enabled") is False:
            return f"{name!r} is switched off"
        if not self._passed[self._number[node]] >> self._number[name] & 1:
            return f"not every way here leads through {name!r}"
        if named.filter and named.filter != own.filter:
            return f"{name!r} has a filter of its own"
        missed = () if spec is None else self._missed_kinds(spec, node, of_files)
        return f"{name!r} is not for {', '.join(missed)}" if missed else None

    def _missed_kinds(self, spec: OperatorSpec, node: str, of_files: bool) -> list[str]:
        """The kinds that come to `node` and that an operator before it is not for; none when a filter stands before
        it, for that may keep just those away."""
        own = self._known.specs.get(node)
        if not spec.kinds or self._above[self._number[node]] & self._filters:
            return []
        coming = self._kinds & own.kinds if own is not None and own.kinds and not of_files else self._kinds
        return sorted(kind.value for kind in coming - spec.kinds)

    def _surely_passed(self) -> list[int]:
        """For each node those that every asset has gone through without failing when it comes there, as bits."""
        into: list[list[tuple[int, bool]]] = [[] for _ in self._ids]
        ends: list[tuple[int, int]] = []
        for edge in self._draft.edges:
            if edge.source in self._number and edge.target in self._number:
                source, target = self._number[edge.source], self._number[edge.target]
                into[target].append((source, edge.branch != Branch.ERROR))
                ends.append((source, target))
        passed = [0] * len(self._ids)
        for node in breadth_first(successors(len(self._ids), ends)):
            ways = [passed[source] | (went << source) for source, went in into[node]]
            if ways:
                passed[node] = ways[0]
                for way in ways[1:]:
                    passed[node] &= way
        return passed


def _field(value: NamedValue) -> str | None:
    return f"config.{value.field}" if value.field else None
