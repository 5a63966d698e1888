"""What a run of a pipeline would find stored, and what it would have to compute."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, Select, case, cast, exists, func, literal, select
from sqlalchemy.sql import ColumnElement

from loom.errors import CODES
from loom.graph.plan import Plan, Step
from loom.model import Origin, State
from loom.packing import unpack_outcomes
from loom.shapes import ForecastNode
from loom.steering import AssetQuery
from loom.store.fitting import conditions, is_present
from loom.store.tables import (
    assets,
    nodes,
    outcomes,
    pipeline_versions,
    pipelines,
    plans,
    results,
    runs,
    settled,
    signatures,
    steps,
)
from loom.store.values import COMPLETED, FAILED

_SAMPLE, _ENOUGH, _RUNS = 1000, 300, 5
"""How many outcomes or results are looked at for durations, how many durations are enough, in how many runs."""

_AT_ONCE, _OLDER = 6, 9
"""Nodes that are counted in one pass, and how many of its older signatures each has there: 60 bits are at hand."""

_RETRYABLE = [code for code, row in CODES.items() if row.retryable]


class Forecast(NamedTuple):
    assets: int
    nodes: list[ForecastNode]


class Wanted(NamedTuple):
    """A node, the number of its signature (0: never stored), and of the newest signatures that it had before."""

    step: Step
    signature: int
    older: tuple[int, ...]


class Alike(NamedTuple):
    """Assets of which the same is known: `has` are signatures whose results they have; `undone`: not settled."""

    has: frozenset[int]
    kind: str
    undone: bool
    many: int


def forecast(connection: Connection, plan: Plan, query: AssetQuery) -> Forecast:
    """Over the assets that are present and fit."""
    settles = _settling(connection, plan)
    total, found = 0, []
    for start in range(0, max(len(plan.steps), 1), _AT_ONCE):
        wanted = [_wanted(connection, plan.pipeline, step) for step in plan.steps[start : start + _AT_ONCE]]
        groups = _groups(connection, wanted, settles, query)
        again = _again(connection, [one.signature for one in wanted], query)
        total = sum(group.many for group in groups)
        found += [_node(connection, one, groups, again.get(one.signature, 0)) for one in wanted]
    return Forecast(total, found)


def _node(connection: Connection, wanted: Wanted, groups: Sequence[Alike], again: int) -> ForecastNode:
    step = wanted.step
    lacking = [group for group in groups if group.undone and wanted.signature not in group.has and _wants(step, group)]
    missing = again + sum(group.many for group in lacking if group.has.isdisjoint(wanted.older))
    stale = sum(group.many for group in lacking if not group.has.isdisjoint(wanted.older))
    took = _median_us(connection, wanted) if missing + stale else 0.0
    return ForecastNode(
        node=step.node,
        operator=step.operator,
        stored=sum(group.many for group in groups if wanted.signature in group.has) - again,
        missing=missing,
        stale=stale,
        seconds=None if took is None else (missing + stale) * took / 1_000_000,
    )


def _wants(step: Step, group: Alike) -> bool:
    """Whether the node computes something for such assets, as far as their kind tells."""
    allowed = step.filter.kinds if step.filter is not None else ()
    return step.enabled and all(not kinds or group.kind in kinds for kinds in (step.kinds, allowed))


def _groups(connection: Connection, wanted: Sequence[Wanted], settles: Sequence[int], query: AssetQuery) -> list[Alike]:
    numbers = sorted({number for one in wanted for number in (one.signature, *one.older)} - {0})
    bit_of = {number: 1 << at for at, number in enumerate(numbers)}
    return [
        Alike(frozenset(number for number, bit in bit_of.items() if bits & bit), kind, bool(undone), count)
        for bits, kind, undone, count in connection.execute(counted(bit_of, settles, query))
    ]


def counted(bit_of: dict[int, int], settles: Sequence[int], query: AssetQuery) -> Select[Any]:
    """One pass over the assets, counted by the results that they have (as bits, by signature), by kind, and by whether
    something may be left to do for them."""
    bits: ColumnElement[Any] = literal(0)
    if bit_of:
        summed = func.coalesce(func.sum(case(bit_of, value=results.c.signature, else_=0)), 0)
        bits = select(cast(summed, BigInteger)).where(results.c.asset == assets.c.id).scalar_subquery()
    is_settled = exists().where(settled.c.asset == assets.c.id, settled.c.plan.in_(settles))
    per_asset = (
        select(bits.label("bits"), assets.c.kind, case((is_settled, 0), else_=1).label("undone"))
        .where(is_present(), *conditions(query))
        .subquery()
    )
    columns = (per_asset.c.bits, per_asset.c.kind, per_asset.c.undone)
    return select(*columns, func.count()).group_by(*columns)


def _wanted(connection: Connection, pipeline: str, step: Step) -> Wanted:
    number = connection.execute(select(signatures.c.id).where(signatures.c.digest == step.signature)).scalar() or 0
    lists = (
        select(runs.c.steps)
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(pipelines.c.name == pipeline)
    )
    older = (
        select(steps.c.signature)
        .distinct()
        .join(nodes, nodes.c.id == steps.c.node)
        .join(signatures, signatures.c.id == steps.c.signature)
        .where(
            steps.c.list.in_(lists),
            nodes.c.name == step.node,
            signatures.c.operator == step.operator,
            steps.c.signature != number,
        )
        .order_by(steps.c.signature.desc())
        .limit(_OLDER)
    )
    return Wanted(step, number, tuple(connection.execute(older).scalars()))


def _settling(connection: Connection, plan: Plan) -> list[int]:
    """The digests under which an asset that has all of this plan may be settled."""
    own = select(plans.c.id).where(plans.c.digest == plan.digest)
    shared = select(runs.c.settles).where(runs.c.plan.in_(own))
    return sorted(set(connection.execute(own.union(shared)).scalars()))


def _again(connection: Connection, numbers: Sequence[int], query: AssetQuery) -> dict[int, int]:
    """How many results are failures that are tried again, by signature."""
    statement = (
        select(results.c.signature, func.count())
        .join(assets, assets.c.id == results.c.asset)
        .where(
            results.c.state == FAILED,
            results.c.error_code.in_(_RETRYABLE),
            results.c.signature.in_(numbers),
            is_present(),
            *conditions(query),
        )
        .group_by(results.c.signature)
    )
    return dict(connection.execute(statement).all())


def _median_us(connection: Connection, wanted: Wanted) -> float | None:
    """Of some hundred results of the signature, or (of a new one) of the operator's others, the newest that has any."""
    others = (
        select(signatures.c.id)
        .where(signatures.c.operator == wanted.step.operator, signatures.c.id != wanted.signature)
        .order_by(signatures.c.id.desc())
    )
    for number in (wanted.signature, *connection.execute(others).scalars()):
        if durations := _durations(connection, number):
            return median(durations)
    return None


def _durations(connection: Connection, signature: int) -> list[int]:
    """Measured in the newest runs that computed it; if these only met stored results, those of results all over the
    assets."""
    newest = (
        select(runs.c.id, steps.c.position)
        .join(steps, steps.c.list == runs.c.steps)
        .where(steps.c.signature == signature)
        .order_by(runs.c.id.desc())
        .limit(_RUNS)
    )
    found: list[int] = []
    for run, position in connection.execute(newest).all():
        found += _durations_in_run(connection, run, position)
        if len(found) >= _ENOUGH:
            break
    return found or _durations_of_results(connection, signature)


def _durations_in_run(connection: Connection, run: int, position: int) -> list[int]:
    last = connection.execute(select(func.max(outcomes.c.position)).where(outcomes.c.run == run)).scalar()
    some = _spread(0, -1 if last is None else last)
    packed = select(outcomes.c.packed).where(outcomes.c.run == run, outcomes.c.position.in_(some))
    walked = [unpack_outcomes(one) for one in connection.execute(packed).scalars()]
    return [
        one[position].duration_us
        for one in walked
        if position < len(one) and one[position].state is State.COMPLETED and one[position].origin is Origin.COMPUTED
    ]


def _durations_of_results(connection: Connection, signature: int) -> list[int]:
    last = connection.execute(select(func.max(assets.c.id))).scalar() or 0
    statement = select(results.c.duration_us).where(
        results.c.asset.in_(_spread(1, last)), results.c.signature == signature, results.c.state == COMPLETED
    )
    return list(connection.execute(statement).scalars())


def _spread(first: int, last: int) -> list[int]:
    """Numbers all over a range, all of them when it is small."""
    return list(range(first, last + 1, max(1, (last - first + 1) // _SAMPLE)))
