"""Makes the plan of a definition in which nothing is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loom.graph.carrying import Carrying, Turn, Wire
from loom.graph.definition import Edge, Node, Pipeline
from loom.graph.order import ancestors, bits, breadth_first, successors
from loom.graph.plan import SOURCE, AssetFilter, Feed, Inbound, Intake, Plan, Source, Step, Way
from loom.graph.ports import buckets, takes_files, value_input
from loom.graph.signatures import plan_digest, signature
from loom.graph.specs import OperatorSpec
from loom.model import Branch


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

    def _wire_of(self, edge: Edge) -> Wire:
        one, other = edge.source, edge.target
        bucket = self._inbound_of(edge).bucket
        return Wire(self._number[one.node], one.port, self._number[other.node], other.port, edge.branch, bucket)

    def _carried(self) -> Carrying | None:
        """What comes along edges, where some node takes values from them."""
        specs = [self._specs[node.id] for node in self._nodes]
        if all(value_input(spec) is None for spec in specs):
            return None
        return Carrying(specs, [self._wire_of(edge) for edge in self._pipeline.graph.edges])

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
        reads = self._reads(node, spec, intake, before)
        takes_file = intake is not None and not intake.many and any(feed.is_artifact for feed in intake.feeds)
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
            kinds=frozenset() if takes_file else spec.kinds,
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
        feeds = (
            Feed(
                self._step_of(giver.node),
                giver.port.key,
                giver.depth,
                takes_files(port),
                tuple(
                    sorted(map(self._way, giver.turns), key=lambda way: (way.step, way.branch or "", way.bucket or ""))
                ),
            )
            for giver in givers
        )
        return Intake(
            feeds=tuple(sorted(feeds, key=lambda feed: (self._order[feed.upstream].id, feed.key or ""))),
            many=port.cardinality == "many",
            fans_out=number in self._carrying.fanned,
            required=port.required,
        )

    def _step_of(self, node: int) -> int:
        return self._index[self._nodes[node].id]

    def _way(self, turn: Turn) -> Way:
        return Way(self._step_of(turn.node), None if turn.branch is None else Branch(turn.branch), turn.bucket)

    def _taken(self, intake: Intake | None) -> list[list[Any]]:
        """The same for a signature, which knows nodes by their ids. It says what goes beyond values that all come only
        where it is so, so that signatures without that stay what they always were."""
        taken = []
        for feed in () if intake is None else intake.feeds:
            ways = sorted([self._order[way.step].id, way.branch or "", way.bucket or ""] for way in feed.ways)
            more = [ways, feed.is_artifact] if ways or feed.is_artifact else []
            taken.append([self._order[feed.upstream].id, feed.key or "", feed.depth, *more])
        return sorted(taken, key=lambda one: one[:3])

    def _reads(self, node: Node, spec: OperatorSpec, intake: Intake | None, before: Sequence[Step]) -> dict[str, int]:
        """The steps it may read by node id, in the order of the plan: those it declares, or all upstream, those whose
        values come in, and those that decide which of them do."""
        above = self._above[self._number[node.id]]
        if spec.reads is None:
            upstream = [self._nodes[number].id for number in bits(above)]
        else:
            declared = [name for name in {*spec.reads, *spec.needs} if name in self._number]
            upstream = [name for name in declared if above >> self._number[name] & 1]
        indices = sorted(
            {
                *(self._index[name] for name in upstream if name in self._index),
                *_giving(intake, before),
            }
        )
        return {self._order[index].id: index for index in indices}


def _giving(intake: Intake | None, before: Sequence[Step]) -> set[int]:
    """The steps whose values come in, those that let only some of them through, and whatever those in turn go by."""
    givers: set[int] = set()
    deciders: set[int] = set()
    waiting = [intake]
    while waiting:
        one = waiting.pop()
        for feed in () if one is None else one.feeds:
            givers.add(feed.upstream)
            new = {way.step for way in feed.ways} - deciders
            deciders |= new
            waiting += [before[step].intake for step in new]
    return givers | deciders


def _without_enabled(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key != "enabled"}
