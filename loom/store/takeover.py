"""Runs that go on with another worker: what the former ones have walked counts as what it was.

The new worker meets those files again. It passes them over by stat, as it does with what the run has never touched, or
takes them for copies of what the run has walked.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Select, and_, case, func, select, update

from loom.model import AssetCounts, RunClosing, RunState
from loom.store import counting, spending
from loom.store.tables import assets, directories, locations, outcomes, run_requests, runs
from loom.store.values import PRESENT


class _Files(NamedTuple):
    """Files that former workers have seen to: how they ended, how many of them were `new` or at a new path, and how the
    last worker has counted them: as `copies`, or as passed over, `bad` ones because they had failed before."""

    new: int
    moved: int
    completed: int
    failed: int
    failed_before: int
    copies: int
    passed: int
    passed_bad: int


def note(connection: Connection, uuid: UUID, now: int) -> None:
    """A run that has begun was claimed once more. What it has walked is counted now, to be shown while it goes on."""
    number = connection.execute(select(runs.c.id).where(runs.c.uuid == uuid.bytes)).scalar_one()
    counting.keep(connection, number)
    so_far = counting.walked(connection, number)
    connection.execute(update(runs).where(runs.c.id == number).values(gone_on=now, walked_before=so_far))


def whole(connection: Connection, number: int, closing: RunClosing) -> RunClosing:
    """What the last worker says of its part, made to be of the whole run."""
    run = connection.execute(
        select(runs.c.host, runs.c.gone_on, runs.c.walked_before, run_requests.c.queued)
        .join(run_requests, run_requests.c.uuid == runs.c.uuid)
        .where(runs.c.id == number)
    ).first()
    if run is None or not run.walked_before:
        return closing
    found = counting.counted(connection, number)
    counts = _together(closing.assets, _files(connection, number, run))
    bad = closing.state is RunState.COMPLETED and (counts.failed or counts.unreadable)
    return msgspec.structs.replace(
        closing,
        state=RunState.PARTIAL if bad else closing.state,
        assets=counts,
        nodes=found.nodes,
        bytes_read=found.bytes_read,
        spent=spending.spent_until_now(connection, number) or closing.spent,
    )


def _together(last: AssetCounts, former: _Files) -> AssetCounts:
    """A worker that was stopped has not met all of the former ones' files again."""
    bad = min(former.passed_bad, last.failed_before, last.unchanged)
    passed = min(former.passed, last.unchanged - bad)
    again = bad + passed + former.copies
    counts = AssetCounts(
        seen=last.seen - again + former.completed + former.failed + former.failed_before,
        new=last.new + former.new,
        unchanged=last.unchanged - bad - passed,
        moved=last.moved + former.moved,
        completed=last.completed - passed - former.copies + former.completed,
        failed=last.failed + former.failed,
        failed_before=last.failed_before - bad + former.failed_before,
        unreadable=last.unreadable,
        unmatched=last.unmatched,
    )
    return AssetCounts(**{name: max(count, 0) for name, count in msgspec.structs.asdict(counts).items()})


def _files(connection: Connection, number: int, run: Any) -> _Files:
    """Files are those that were reported since the run was asked for."""
    copies = locations.c.last_seen >= run.gone_on
    passed = and_(locations.c.last_seen < run.gone_on, locations.c.state == PRESENT)
    placed = and_(locations.c.last_seen < run.gone_on, locations.c.first_seen >= run.queued)
    flags = tuple(func.coalesce(func.sum(case((one, 1), else_=0)), 0) for one in (copies, passed, placed))
    mine = (outcomes.c.run == number, outcomes.c.position < run.walked_before)

    def of(*columns: Any) -> Select[Any]:
        files = select(*columns).select_from(outcomes).join(locations, locations.c.asset == outcomes.c.asset)
        here = files.join(directories, directories.c.id == locations.c.directory)
        return here.where(*mine, directories.c.host == run.host, locations.c.last_seen >= run.queued)

    good, good_copies, good_passed, good_placed = connection.execute(
        of(func.count(), *flags).where(outcomes.c.failed == 0)
    ).one()
    bad = of(outcomes.c.packed, func.count(), *flags).where(outcomes.c.failed > 0)
    rows = connection.execute(bad.group_by(outcomes.c.asset, outcomes.c.packed)).all()
    failed = sum(row[1] for row in rows if counting.failed_now(row[0]))
    new = connection.execute(
        select(func.count())
        .select_from(outcomes)
        .join(assets, assets.c.id == outcomes.c.asset)
        .where(*mine, assets.c.first_seen >= run.queued)
    ).scalar_one()
    return _Files(
        new=new,
        moved=max(int(good_placed) + sum(int(row[4]) for row in rows) - new, 0),
        completed=good,
        failed=failed,
        failed_before=sum(row[1] for row in rows) - failed,
        copies=int(good_copies) + sum(int(row[2]) for row in rows),
        passed=int(good_passed),
        passed_bad=sum(int(row[3]) for row in rows),
    )
