"""Makes the plan of a definition in which nothing is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loom.graph.carrying import Carrying, Wire
from loom.graph.definition import Edge, Node, Pipeline
from loom.graph.order import ancestors, bits, breadth_first, successors
from loom.graph.plan import SOURCE, AssetFilter, Feed, Inbound, Intake, Plan, Source, Step
from loom.graph.ports import buckets, value_input
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
            self._inbound[edge.target.node].append(self._inbound_of(edge))
        self._carrying = self._carried()

    def _inbound_of(self, edge: Edge) -> Inbound:
        source = edge.source
        made = buckets(self._specs[source.node], self._configs[source.node])
        bucket = source.port if source.port in made else None
        return Inbound(self._index.get(source.node, SOURCE), edge.branch, bucket)

    def _carried(self) -> Carrying | None:
        """What comes along edges, where some node takes values from them."""
        specs = [self._specs[node.id] for node in self._nodes]
        if all(value_input(spec) is None for spec in specs):
            return None
        ends = ((edge.source, edge.target) for edge in self._pipeline.graph.edges)
        wires = [Wire(self._number[a.node], a.port, self._number[b.node], b.port) for a, b in ends]
        return Carrying(specs, wires)

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
        intake = self._intake(node, spec)
        reads = self._reads(node, spec, intake)
        effect = "effect" in spec.capabilities
        effect_of = (self._pipeline.name, node.id) if effect else None
        return Step(
            index=len(before),
            node=node.id,
            operator=spec.id,
            operator_version=spec.version,
            config=config,
            signature=signature(
                spec, config, (before[index] for index in reads.values()), effect_of, self._taken(intake)
            ),
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
            intake=intake,
        )

    def _intake(self, node: Node, spec: OperatorSpec) -> Intake | None:
        port = value_input(spec)
        if port is None or self._carrying is None:
            return None
        number = self._number[node.id]
        givers = self._carrying.feeds(number)
        if not givers:
            return None
        feeds = (Feed(self._index[self._nodes[giver.node].id], giver.port.key, giver.depth) for giver in givers)
        return Intake(
            feeds=tuple(sorted(feeds, key=lambda feed: (self._order[feed.upstream].id, feed.key or ""))),
            many=port.cardinality == "many",
            fans_out=number in self._carrying.fanned,
            required=port.required,
        )

    def _taken(self, intake: Intake | None) -> list[tuple[str, str, int]]:
        """The same for a signature, which knows nodes by their ids."""
        feeds = () if intake is None else intake.feeds
        return sorted((self._order[feed.upstream].id, feed.key or "", feed.depth) for feed in feeds)

    def _reads(self, node: Node, spec: OperatorSpec, intake: Intake | None) -> dict[str, int]:
        """The steps it may read by node id, in the order of the plan: those it declares, or all upstream, and those
        whose values come in."""
        above = self._above[self._number[node.id]]
        if spec.reads is None:
            upstream = [self._nodes[number].id for number in bits(above)]
        else:
            declared = [name for name in {*spec.reads, *spec.needs} if name in self._number]
            upstream = [name for name in declared if above >> self._number[name] & 1]
        indices = sorted(
            {
                *(self._index[name] for name in upstream if name in self._index),
                *(feed.upstream for feed in (intake.feeds if intake is not None else ())),
            }
        )
        return {self._order[index].id: index for index in indices}


def _without_enabled(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "enabled"}
