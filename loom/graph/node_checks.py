"""What can be wrong with nodes: ids, operators, configs, the source."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import msgspec

from loom.graph.codes import error, said, shortened, warning
from loom.graph.diagnostics import Diagnostic
from loom.graph.draft import Draft, DraftNode
from loom.graph.specs import ConfigProblem, Operators, OperatorSpec

_MAX_SUGGESTIONS = 50


class Known(NamedTuple):
    """Specs and normalised configs by node id, as far as they are known; `named` are the nodes that a node's config
    names; `sources` are the ids of source nodes."""

    specs: dict[str, OperatorSpec]
    configs: dict[str, dict[str, Any]]
    named: dict[str, tuple[str, ...]]

    @property
    def sources(self) -> list[str]:
        return [node for node, spec in self.specs.items() if spec.is_source]


class NodeChecks:
    """Goes over the nodes of a draft; `known` is filled in on the way."""

    def __init__(self, draft: Draft, operators: Operators, unknown: Literal["error", "warning"]) -> None:
        self.known = Known({}, {}, {})
        self._draft = draft
        self._operators = operators
        self._unknown = error if unknown == "error" else warning
        self._hints: dict[str, str] = {}

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
            named = None if problems else self._named(spec.id, config)
            if named is not None:
                spec = msgspec.structs.replace(spec, reads=named)
                self.known.named[node.name] = named
            self.known.specs[node.name] = spec

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
