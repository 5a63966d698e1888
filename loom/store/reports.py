"""Storing what workers report: a batch of assets with all that belongs to them, in one transaction of the caller's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

from sqlalchemy import Connection, Delete, Select, bindparam, delete, func, select

from loom.errors import LoomError
from loom.model import ArtifactRef, AssetReport, State, StoredResult
from loom.packing import OUTCOME_BYTES
from loom.store import assets, colours, fingerprints, locations, outputs, proposals, texts, traits, vectors
from loom.store.causes import cause_of
from loom.store.duplicates import Touched
from loom.store.runs import OpenRun, StepRow, plan_number
from loom.store.statements import Row, any_of, compiled, fetch, fetch_each, insert, upsert, write_rows
from loom.store.tables import artifacts, collection_assets, collections, outcomes, result_artifacts, results
from loom.store.values import COMPLETED, FAILED, clean, verdict_code
from loom.verbs.library import FINGERPRINTS
from loom.verbs.people import VECTORS

_OF_FAILURES = ("error_code", "error_message", "aside", "cause")
"""Columns for which a COMPLETED result has no value."""
_EMPTY = len(b"{}")
_key = itemgetter(0, 1)


def store(connection: Connection, run: OpenRun, batch: Sequence[AssetReport], now: int) -> Touched:
    """Stores assets, locations, results, outcomes and collections, rows of a table always in the order of their key,
    so that two writers never wait for each other in a circle. Raises `REQUEST_INVALID` for a result that belongs
    to no step of the run, or that names a derived file which was not handed in before, and for outcomes that are not
    one for each step. Returns the groups of duplicates that it has made."""
    ids, fresh = assets.ensure(connection, batch, now)
    placed = [(ids[report.blake3], found) for report in batch for found in report.found]
    locations.place(connection, run.host, placed, now, {ids[digest] for digest in fresh})
    taken = _store_results(connection, run, batch, ids, fresh, now)
    _store_outcomes(connection, run, batch, ids, fresh)
    _settle(connection, run, batch, ids, fresh)
    _collect(connection, [(name, ids[report.blake3]) for report in batch for name in report.collections])
    touched = proposals.copies_turned_up(connection, ids.values(), now)
    fingerprints.add(connection, taken, {ids[digest] for digest in fresh})
    vectors.add(connection, _vectors(run, batch, ids), {ids[digest] for digest in fresh})
    return touched


def _vectors(run: OpenRun, batch: Sequence[AssetReport], ids: dict[bytes, int]) -> list[vectors.Taken]:
    of = {step.digest: step for step in run.steps if step.operator in VECTORS}
    return [
        vectors.take(ids[report.blake3], step.signature, step.operator, result.outputs)
        for report in (batch if of else ())
        for result in report.results
        if result.state is State.COMPLETED and (step := of.get(result.signature)) is not None
    ]


def _store_outcomes(
    connection: Connection, run: OpenRun, batch: Sequence[AssetReport], ids: dict[bytes, int], fresh: set[bytes]
) -> None:
    """An asset keeps the position that it got when it was first reported."""
    walked = {ids[report.blake3]: report for report in batch if report.outcomes is not None}
    if not walked:
        return
    expected = OUTCOME_BYTES * len(run.steps)
    if any(len(report.outcomes or b"") != expected for report in walked.values()):
        raise LoomError(
            "REQUEST_INVALID", f"An asset has one outcome for each of the {len(run.steps)} steps of its run."
        )
    seen = {asset for asset, report in walked.items() if report.blake3 not in fresh}
    known = {asset for (asset,) in fetch_each(connection, _walked, sorted(seen), (run.id,))}
    ((last,),) = fetch(connection, compiled(connection, _last_position), (run.id,))
    position = -1 if last is None else last
    rows: list[Row] = []
    for asset, report in walked.items():
        position += asset not in known
        rows.append((run.id, asset, report.outcomes, report.failed, position))
    upsert(connection, outcomes, sorted(rows, key=itemgetter(1)), keep=("position",))


def _settle(
    connection: Connection, run: OpenRun, batch: Sequence[AssetReport], ids: dict[bytes, int], fresh: set[bytes]
) -> None:
    digests = sorted({report.settles for report in batch if report.settles is not None})
    plans: dict[bytes | None, int] = {digest: plan_number(connection, digest) for digest in digests}
    plans[None] = run.plan
    done: dict[tuple[int, int], bool] = {}
    for report in batch:
        if report.settled:
            key = (ids[report.blake3], plans[report.settles])
            done[key] = done.get(key, False) or report.failed > 0
    undone = {
        (ids[report.blake3], plans[report.settles])
        for report in batch
        if report.outcomes is not None and not report.settled and report.blake3 not in fresh
    }
    locations.settle(connection, done, undone - done.keys())


def _store_results(
    connection: Connection,
    run: OpenRun,
    batch: Sequence[AssetReport],
    ids: dict[bytes, int],
    fresh: set[bytes],
    now: int,
) -> list[fingerprints.Taken]:
    """Gives what is to be kept of them at the end of the transaction."""
    step_of = _by_signature(run.steps)
    rows: list[Row] = []
    failed: list[Row] = []
    hashed: list[tuple[int, str, bytes]] = []
    described: list[tuple[int, outputs.Outputs]] = []
    said: list[tuple[int, int, str]] = []
    named: list[tuple[int, int, ArtifactRef]] = []
    replacing: list[Row] = []
    coloured: list[tuple[int, bytes]] = []
    taken: list[fingerprints.Taken] = []
    for report in batch:
        asset, is_new = ids[report.blake3], report.blake3 in fresh
        for result in report.results:
            step = step_of.get(result.signature)
            if step is None:
                raise LoomError("REQUEST_INVALID", "A result has a signature that is not in the plan of its run.")
            if result.state is not State.COMPLETED:
                failed.append(_failed_row(asset, step, run.id, result, now))
                continue
            rows.append(_row(asset, step, run.id, result, now))
            if step.operator in FINGERPRINTS:
                taken.append(fingerprints.take(asset, step.signature, step.operator, result.outputs))
            if step.operator == colours.OPERATOR:
                coloured.append((asset, result.outputs))
            if step.operator in assets.HASHES:
                hashed.append((asset, step.operator, result.outputs))
            elif len(result.outputs) > _EMPTY:
                found = outputs.read(result.outputs)
                if step.operator == outputs.METADATA:
                    described.append((asset, found))
                if words := texts.said_by(found):
                    said.append((asset, step.signature, words))
            if not is_new:
                replacing.append((asset, step.signature))
            if result.artifacts:
                named.extend((asset, step.signature, ref) for ref in result.artifacts)
    _write_results(connection, rows, failed)
    write_rows(connection, compiled(connection, _drop_artifacts), sorted(replacing))
    _name_artifacts(connection, named)
    assets.add_hashes(connection, hashed)
    traits.add(connection, described, {ids[digest] for digest in fresh})
    texts.add(connection, said, replacing)
    colours.add(connection, coloured, {ids[digest] for digest in fresh})
    return taken


def _by_signature(steps: Iterable[StepRow]) -> dict[bytes, StepRow]:
    """The step of each signature, the first of several."""
    found: dict[bytes, StepRow] = {}
    for step in steps:
        found.setdefault(step.digest, step)
    return found


def _write_results(connection: Connection, rows: list[Row], failed: list[Row]) -> None:
    """SQLite's driver takes longer over a value that is None than over any other, so that columns that are always NULL
    are left out there; elsewhere all rows are written in one order, see `store`."""
    if connection.dialect.name == "sqlite":
        upsert(connection, results, sorted(rows, key=_key), keep=("aside",), null=_OF_FAILURES)
        rows = []
    whole = [*((*row[:7], None, None, *row[7:], None, None) for row in rows), *failed]
    upsert(connection, results, sorted(whole, key=_key), keep=("aside",))


def _row(asset: int, step: StepRow, run: int, result: StoredResult, now: int) -> Row:
    return (
        asset,
        step.signature,
        run,
        step.node_id,
        COMPLETED,
        verdict_code(result.verdict),
        result.outputs.decode("utf-8"),
        result.duration_us,
        now,
    )


def _failed_row(asset: int, step: StepRow, run: int, result: StoredResult, now: int) -> Row:
    message = None if result.error_message is None else clean(result.error_message)
    return (
        asset,
        step.signature,
        run,
        step.node_id,
        FAILED,
        verdict_code(result.verdict),
        result.outputs.decode("utf-8"),
        result.error_code,
        message,
        result.duration_us,
        now,
        None,
        cause_of(message),
    )


def _name_artifacts(connection: Connection, named: Sequence[tuple[int, int, ArtifactRef]]) -> None:
    digests = sorted({ref.digest for _, _, ref in named})
    numbers: dict[bytes, int] = dict(fetch_each(connection, _artifact_numbers, digests))
    if any(ref.digest not in numbers for _, _, ref in named):
        raise LoomError("REQUEST_INVALID", "A result names a derived file that was not handed in before.")
    rows = {(asset, signature, clean(ref.name)): numbers[ref.digest] for asset, signature, ref in named}
    upsert(connection, result_artifacts, sorted((*key, artifact) for key, artifact in rows.items()))


def _collect(connection: Connection, wanted: Sequence[tuple[str, int]]) -> None:
    if not wanted:
        return
    names = sorted({clean(name) for name, _ in wanted})
    insert(connection, collections, [(name,) for name in names])
    numbers: dict[str, int] = dict(fetch_each(connection, _collection_numbers, names))
    insert(connection, collection_assets, sorted({(numbers[clean(name)], asset) for name, asset in wanted}))


def _walked(count: int) -> Select[tuple[int]]:
    return select(outcomes.c.asset).where(outcomes.c.run == bindparam("run"), any_of(outcomes.c.asset, count))


def _last_position() -> Select[tuple[int]]:
    return select(func.max(outcomes.c.position)).where(outcomes.c.run == bindparam("run"))


def _drop_artifacts() -> Delete:
    at = result_artifacts.c
    return delete(result_artifacts).where(at.asset == bindparam("of"), at.signature == bindparam("under"))


def _artifact_numbers(count: int) -> Select[tuple[bytes, int]]:
    return select(artifacts.c.digest, artifacts.c.id).where(any_of(artifacts.c.digest, count))


def _collection_numbers(count: int) -> Select[tuple[str, int]]:
    return select(collections.c.name, collections.c.id).where(any_of(collections.c.name, count))
