"""Makes the plan of a definition in which nothing is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.graph.definition import Node, Pipeline
from loom.graph.order import ancestors, bits, breadth_first, successors
from loom.graph.plan import SOURCE, AssetFilter, Inbound, Plan, Source, Step
from loom.graph.signatures import plan_digest, signature
from loom.graph.specs import OperatorSpec


def make_plan(pipeline: Pipeline, specs: Mapping[str, OperatorSpec], configs: Mapping[str, dict[str, Any]]) -> Plan:
    """The plan. `specs` and `configs` (normalised) are by node id; the definition must have been found sound."""
    return _Planner(pipeline, specs, configs).plan()


class _Planner:
    def __init__(
        self, pipeline: Pipeline, specs: Mapping[str, OperatorSpec], configs: Mapping[str, dict[str, Any]]
    ) -> None:
        self._pipeline = pipeline
        self._specs = specs
        self._configs = configs
        self._nodes = pipeline.graph.nodes
        self._number = {node.id: number for number, node in enumerate(self._nodes)}
        ends = [(self._number[edge.source.node], self._number[edge.target.node]) for edge in pipeline.graph.edges]
        after = successors(len(self._nodes), ends)
        self._above = ancestors(after)
        order = [self._nodes[number] for number in breadth_first(after)]
        self._source = next(node for node in order if specs[node.id].is_source)
        self._order = [node for node in order if node is not self._source]
        self._index = {node.id: index for index, node in enumerate(self._order)}
        self._inbound: dict[str, list[Inbound]] = {node.id: [] for node in self._order}
        for edge in pipeline.graph.edges:
            upstream = self._index.get(edge.source.node, SOURCE)
            self._inbound[edge.target.node].append(Inbound(upstream, edge.branch))

    def plan(self) -> Plan:
        steps: list[Step] = []
        for node in self._order:
            steps.append(self._step(node, steps))
        match = self._pipeline.match
        source = Source(
            node=self._source.id,
            operator=self._source.operator,
            config=_without_enabled(self._configs[self._source.id]),
        )
        return Plan(
            pipeline=self._pipeline.name,
            dry_run=self._pipeline.dry_run,
            match=AssetFilter() if match is None else match.compiled(),
            source=source,
            steps=tuple(steps),
            digest=plan_digest(source, steps),
        )

    def _step(self, node: Node, before: list[Step]) -> Step:
        spec, given = self._specs[node.id], self._configs[node.id]
        config = _without_enabled(given)
        reads = self._reads(node, spec)
        effect = "effect" in spec.capabilities
        effect_of = (self._pipeline.name, node.id) if effect else None
        return Step(
            index=len(before),
            node=node.id,
            operator=spec.id,
            operator_version=spec.version,
            config=config,
            signature=signature(spec, config, (before[index] for index in reads.values()), effect_of),
            inbound=tuple(self._inbound[node.id]),
            reads=reads,
            needs=spec.needs,
            kinds=spec.kinds,
            enabled=node.enabled and given.get("enabled", True) is not False,
            filter=None if node.filter is None else node.filter.compiled(),
            timeout_s=node.timeout_s,
            retries=node.retries,
            verdicts=spec.verdicts,
            sandboxed=spec.sandboxed,
            effect=effect,
        )

    def _reads(self, node: Node, spec: OperatorSpec) -> dict[str, int]:
        """The steps it may read by node id, in the order of the plan: those it declares, or all upstream."""
        above = self._above[self._number[node.id]]
        if spec.reads is None:
            upstream = [self._nodes[number].id for number in bits(above)]
        else:
            declared = [name for name in {*spec.reads, *spec.needs} if name in self._number]
            upstream = [name for name in declared if above >> self._number[name] & 1]
        indices = sorted(self._index[name] for name in upstream if name in self._index)
        return {self._order[index].id: index for index in indices}


def _without_enabled(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "enabled"}
