"""What a run has counted, told from its stored outcomes: where its worker cannot say it, or says it of a part only.

Assets are counted here: files of the same content are one, and what was passed over by stat has no outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection, Select, bindparam, case, func, select, update

from loom.model import AssetCounts, NodeCounts, Origin, Reason, State
from loom.packing import OUTCOME_BYTES, code_of
from loom.store import spending
from loom.store.statements import compiled, constant, fetch
from loom.store.tables import assets, nodes, outcomes, run_requests, runs, steps
from loom.store.values import to_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Counts = TypeVar("Counts", AssetCounts, NodeCounts)

_PIECE = 10_000
_NOTHING = b"\xff"
"""Stands where an asset has no outcome of a node: a byte that no word has."""


class Counted(NamedTuple):
    assets: AssetCounts
    nodes: dict[str, NodeCounts]
    bytes_read: int


def counted(connection: Connection, number: int) -> Counted:
    """Of all that a run has walked until now. A million assets take seconds."""
    names = node_names(connection, number)
    by_node = {name: NodeCounts() for name in names}
    for packed in pieces(connection, number, len(names), 0, walked(connection, number)):
        for at, name in enumerate(names):
            _add_to(by_node[name], packed[:, at])
    since = (
        select(func.coalesce(run_requests.c.queued, runs.c.started))
        .outerjoin(run_requests, run_requests.c.uuid == runs.c.uuid)
        .where(runs.c.id == number)
    )
    is_new = case((assets.c.first_seen >= since.scalar_subquery(), 1), else_=0)
    new, size = connection.execute(
        select(func.sum(is_new), func.sum(assets.c.size))
        .join(outcomes, outcomes.c.asset == assets.c.id)
        .where(outcomes.c.run == number)
    ).one()
    found = quickly_counted(connection, number)
    found.new = int(new or 0)
    return Counted(found, by_node, int(size or 0))


def quickly_counted(connection: Connection, number: int) -> AssetCounts:
    """How many assets it has walked, and how they ended: only those on which something failed are looked at."""
    seen = walked(connection, number)
    sql = compiled(connection, _bad)
    if connection.dialect.name == "sqlite":
        sql = sql.replace("FROM outcomes", "FROM outcomes INDEXED BY ix_outcomes_failed", 1)
    now, before = _ends_of(row[0] for row in fetch(connection, sql, (number,)))
    return AssetCounts(seen=seen, completed=max(seen - now - before, 0), failed=now, failed_before=before)


def walked(connection: Connection, number: int) -> int:
    """How many assets a run has walked; found by position, not by counting."""
    last = connection.execute(select(func.max(outcomes.c.position)).where(outcomes.c.run == number)).scalar()
    return 0 if last is None else last + 1


def added(one: Counts, other: Counts) -> Counts:
    """Each of the counts of both together."""
    others = msgspec.structs.asdict(other)
    return type(one)(**{name: count + others[name] for name, count in msgspec.structs.asdict(one).items()})


def failed_now(packed: bytes) -> bool:
    """Whether some node of an asset failed in this run; of those on which something failed at all."""
    return code_of(State.FAILED) in packed[::OUTCOME_BYTES]


def _bad() -> Select[Any]:
    """Without the index it would look at all that did not fail."""
    return select(outcomes.c.packed).where(outcomes.c.run == bindparam("run"), outcomes.c.failed > constant(0))


def _ends_of(bad: Iterable[bytes]) -> tuple[int, int]:
    """Of assets on which something failed: on how many it was in this run, and on how many only before."""
    now = total = 0
    for packed in bad:
        total += 1
        now += failed_now(packed)
    return now, total - now


def keep(connection: Connection, number: int) -> None:
    """Writes down what a run has counted that its worker cannot tell any more."""
    found = counted(connection, number)
    counts = {"asset_counts": to_json(found.assets), "node_counts": to_json(found.nodes)}
    spent = spending.written(spending.spent_until_now(connection, number))
    mine = update(runs).where(runs.c.id == number)
    connection.execute(mine.values(**counts, bytes_read=found.bytes_read, spent=spent))


def node_names(connection: Connection, number: int) -> list[str]:
    """The nodes of a run, in the order in which its outcomes are packed."""
    statement = (
        select(nodes.c.name)
        .join(steps, steps.c.node == nodes.c.id)
        .join(runs, runs.c.steps == steps.c.list)
        .where(runs.c.id == number)
    )
    return list(connection.execute(statement.order_by(steps.c.position)).scalars())


def pieces(connection: Connection, number: int, count: int, first: int, end: int) -> Iterator[NDArray[np.uint8]]:
    """The packed outcomes of the assets from position `first` up to `end` (left out) as they lie there, for a run may
    have millions: arrays of assets × `count` nodes × the eight bytes of an outcome."""
    import numpy as np

    width = count * OUTCOME_BYTES
    for begin in range(first, end, _PIECE):
        rows = fetch(connection, compiled(connection, _placed), (number, begin, min(begin + _PIECE, end)))
        joined = b"".join([packed if len(packed) == width else _fitted(packed, width) for (packed,) in rows])
        yield np.frombuffer(joined, np.uint8).reshape(-1, count, OUTCOME_BYTES)


def _placed() -> Select[Any]:
    at = outcomes.c.position
    mine = (outcomes.c.run == bindparam("run"), at >= bindparam("begin"), at < bindparam("end"))
    return select(outcomes.c.packed).where(*mine)


def _fitted(packed: bytes, width: int) -> bytes:
    """Of an asset that was walked under another plan than that of the run's last worker."""
    return packed.ljust(width, _NOTHING)[:width]


def _add_to(counts: NodeCounts, packed: NDArray[np.uint8]) -> None:
    """Of one node: an array of assets × the eight bytes of an outcome."""
    state, reason, origin = (packed[:, at] for at in range(3))
    skipped = state == code_of(State.SKIPPED)
    stored = skipped & (reason == code_of(Reason.STORED))
    remote = stored & (origin == code_of(Origin.REMOTE))
    counts.computed += int((state == code_of(State.COMPLETED)).sum())
    counts.failed += int((state == code_of(State.FAILED)).sum())
    counts.skipped += int((skipped & ~stored).sum())
    counts.remote += int(remote.sum())
    counts.cached += int((stored & ~remote).sum())
