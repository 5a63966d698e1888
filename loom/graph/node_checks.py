"""What can be wrong with nodes: ids, operators, configs, the source."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from loom.graph.codes import error, said, shortened, warning
from loom.graph.diagnostics import Diagnostic
from loom.graph.draft import Draft, DraftNode
from loom.graph.named import NamedValue, named_values, names_values, split
from loom.graph.ports import with_buckets
from loom.graph.specs import ConfigProblem, Operators, OperatorSpec

_MAX_SUGGESTIONS = 50


class Known(NamedTuple):
    """Specs (with the ports of their configs) and normalised configs by node id, as far as they are known; `named` are
    the nodes that a node's config names, `values` the values of nodes; `sources` are the ids of source nodes."""

    specs: dict[str, OperatorSpec]
    configs: dict[str, dict[str, Any]]
    named: dict[str, tuple[str, ...]]
    values: dict[str, tuple[NamedValue, ...]]

    @property
    def sources(self) -> list[str]:
        return [node for node, spec in self.specs.items() if spec.is_source]


class NodeChecks:
    """Goes over the nodes of a draft; `known` is filled in on the way."""

    def __init__(
        self,
        draft: Draft,
        operators: Operators,
        unknown: Literal["error", "warning"],
        lacking: Literal["error", "warning"],
    ) -> None:
        self.known = Known({}, {}, {}, {})
        self._draft = draft
        self._operators = operators
        self._unknown = error if unknown == "error" else warning
        self._lacking = error if lacking == "error" else warning
        self._hints: dict[str, str] = {}
        self._naming: dict[str, bool] = {}

    def __iter__(self) -> Iterator[Diagnostic]:
        for node in self._draft.every_node:
            if node.name is not None and self._draft.nodes[node.name] is not node:
                yield error("ID_DUPLICATE", f"another node has the id {said(node.name)} already", node=node.name)
            spec = None if node.operator is None else self._operators.spec(node.operator)
            if spec is not None:
                yield from self._of_known(node, spec)
            elif node.operator is not None:
                place = self._draft.place(node, "operator")
                yield self._unknown("OPERATOR_UNKNOWN", self._why_unknown(node.operator), **place)
        yield from self._source()

    def _of_known(self, node: DraftNode, spec: OperatorSpec) -> Iterator[Diagnostic]:
        config, problems = self._normalised(spec.id, node.config)
        for problem in problems:
            field = ("config", *filter(None, [shortened(problem.field)]))
            yield error("CONFIG_INVALID", shortened(problem.message, 500), **self._draft.place(node, *field))
        if spec.is_source:
            off = () if config.get("enabled", True) else ("enabled",)
            for option in dict.fromkeys((*node.options, *off)):
                yield warning(
                    "SOURCE_OPTION_UNUSED", f"{option!r} has no effect on a source", **self._draft.place(node, option)
                )
        if node.name is not None and self._draft.nodes[node.name] is node:
            self.known.configs[node.name] = config
            if not problems:
                yield from self._naming_of(node.name, spec, config)
                yield from self._lacks_of(node, spec, config)
            reads = self.known.named.get(node.name)
            spec = spec if reads is None else msgspec.structs.replace(spec, reads=reads)
            self.known.specs[node.name] = with_buckets(spec, config)

    def _naming_of(self, node: str, spec: OperatorSpec, config: dict[str, Any]) -> Iterator[Diagnostic]:
        """Which values the config names, and which nodes it therefore reads."""
        if spec.id not in self._naming:
            self._naming[spec.id] = names_values(spec.config_schema)
        values = named_values(spec.config_schema, config) if self._naming[spec.id] else ()
        try:
            named = self._named(spec.id, config)
        except (Exception, SystemExit) as fault:
            message = f"{spec.id} cannot tell which nodes the config names: {type(fault).__name__}: {fault}"
            yield error("CONFIG_INVALID", shortened(message, 500), node=node, field="config")
            return
        if named is None and values and spec.reads is not None:
            named = tuple(dict.fromkeys((*spec.reads, *(value.node for value in values))))
        if named is not None:
            self.known.named[node] = named
        declared = (split(name) for name in spec.takes)
        self.known.values[node] = (*values, *declared)

    def _lacks_of(self, node: DraftNode, spec: OperatorSpec, config: dict[str, Any]) -> Iterator[Diagnostic]:
        """What the machine lacks for a node that is not switched off."""
        ask = getattr(self._operators, "lacks", None)
        if ask is None or not (config.get("enabled", True) and "enabled" not in node.options):
            return
        try:
            lacks = ask(spec.id, config)
        except (Exception, SystemExit) as fault:
            message = f"{spec.id} cannot tell what it needs: {type(fault).__name__}: {fault}"
            yield error("CONFIG_INVALID", shortened(message, 500), **self._draft.place(node, "config"))
            return
        for lack in lacks:
            say = warning if lack.optional else self._lacking
            yield say("REQUIREMENT_MISSING", shortened(lack.message, 500), **self._draft.place(node))

    def _named(self, operator: str, config: dict[str, Any]) -> tuple[str, ...] | None:
        ask = getattr(self._operators, "named_nodes", None)
        return None if ask is None else ask(operator, config)

    def _normalised(
        self, operator: str, config: dict[str, Any] | None
    ) -> tuple[dict[str, Any], tuple[ConfigProblem, ...]]:
        if config is None:
            return {}, ()
        try:
            return self._operators.normalise(operator, config)
        except Exception as fault:
            return {}, (ConfigProblem("", f"the operator cannot check this config: {type(fault).__name__}"),)

    def _why_unknown(self, operator: str) -> str:
        """The nearest ids are looked for a limited number of times: it is slow."""
        why = getattr(self._operators, "why_unknown", None)
        if why is not None and (sentence := why(operator)) is not None:
            return str(sentence)
        if operator not in self._hints and len(self._hints) < _MAX_SUGGESTIONS:
            near = difflib.get_close_matches(shortened(operator), list(self._operators.ids()), 1)
            self._hints[operator] = f"; did you mean {near[0]}?" if near else ""
        return f"there is no operator {said(operator)}{self._hints.get(operator, '')}"

    def _source(self) -> Iterator[Diagnostic]:
        """A graph in which an unknown operator stands at the start may have its source there."""
        sources = self.known.sources
        if len(sources) > 1:
            for node in sources[1:]:
                others = f"{node!r} is a source, and so is {sources[0]!r}; a pipeline has one"
                yield error("SOURCE_MULTIPLE", others, node=node)
        if not sources and not starts(self._draft, self.known):
            yield error("SOURCE_MISSING", "no node is a source; begin with one such as source.filesystem")


def starts(draft: Draft, known: Known) -> list[str]:
    """Where assets may come from: the sources, or without one the nodes of unknown operators without an edge into
    them."""
    if known.sources:
        return known.sources
    entered = {edge.target for edge in draft.edges}
    return [node for node in draft.nodes if node not in known.specs and node not in entered]
