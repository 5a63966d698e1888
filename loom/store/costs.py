"""What assets took in the newest runs of a pipeline, by kind."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from sqlalchemy import Connection, func, select

from loom.model import Kind, Reason
from loom.packing import unpack_outcomes
from loom.shapes import KindCost
from loom.store.tables import assets, outcomes, pipeline_versions, pipelines, runs

_RUNS, _SAMPLE, _ENOUGH = 5, 400, 300
"""Of how many runs, of how many assets in each, and how many assets of which all was computed are enough."""


def costs(connection: Connection, pipeline: str) -> list[KindCost]:
    """Only assets count for which no stored result was used, so that they took all that such an asset takes."""
    newest = (
        select(runs.c.id)
        .join(pipeline_versions, pipeline_versions.c.id == runs.c.version)
        .join(pipelines, pipelines.c.id == pipeline_versions.c.pipeline)
        .where(pipelines.c.name == pipeline)
        .order_by(runs.c.id.desc())
        .limit(_RUNS)
    )
    took: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for run in connection.execute(newest).scalars().all():
        for kind, size, duration_us in _walked(connection, run):
            took[kind].append((duration_us, size))
        if sum(map(len, took.values())) >= _ENOUGH:
            break
    return [_cost(Kind(kind), many) for kind, many in sorted(took.items())]


def _cost(kind: Kind, took: list[tuple[int, int]]) -> KindCost:
    durations, sizes = zip(*took, strict=True)
    return KindCost(kind=kind, assets=len(took), seconds=median(durations) / 1_000_000, bytes=round(median(sizes)))


def _walked(connection: Connection, run: int) -> list[tuple[str, int, int]]:
    """Kind, size and microseconds of assets all over a run."""
    last = connection.execute(select(func.max(outcomes.c.position)).where(outcomes.c.run == run)).scalar()
    some = range(0, -1 if last is None else last + 1, 1 if last is None else max(1, (last + 1) // _SAMPLE))
    statement = (
        select(assets.c.kind, assets.c.size, outcomes.c.packed)
        .join(assets, assets.c.id == outcomes.c.asset)
        .where(outcomes.c.run == run, outcomes.c.position.in_(some))
    )
    found = []
    for kind, size, packed in connection.execute(statement):
        walked = unpack_outcomes(packed)
        if not any(one.reason is Reason.STORED for one in walked):
            found.append((kind, size, sum(one.duration_us for one in walked)))
    return found
