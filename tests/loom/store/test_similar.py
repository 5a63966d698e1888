"""What is in memory follows what is in the database, whoever writes there and in whichever order."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from uuid import UUID

import pytest
from ledgers import SilentBus, begin, digest, found, opening, report, toy_operators
from programs import until
from sqlalchemy import text

from loom.model import Branch, State, StepRef, StoredResult
from loom.service import LocalLoom
from loom.store import fingerprints, similar
from loom.store.database import Database
from loom.store.migrations.versions import r0009_fingerprints as r0009

PHASH = StepRef("phash", "image.phash", "1", digest("step phash"))
HASH = bytes(range(1, 9))


@pytest.fixture
def run(looms: list[LocalLoom]) -> UUID:
    return begin(looms[0], steps=(PHASH,))


def tell(loom: LocalLoom, run: UUID, name: str, value: bytes = HASH) -> None:
    outputs = json.dumps({"phash": value.hex()}).encode()
    given = StoredResult(PHASH.signature, State.COMPLETED, Branch.PASS, outputs)
    loom.report(run, [report(name, found(b"/data/" + name.encode()), results=[given])])


def known(loom: LocalLoom, value: bytes = HASH) -> set[bytes]:
    return {match.asset for match in loom.similar("image.phash", value, 0)}


def write(loom: LocalLoom, *statements: str) -> None:
    with loom._database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_what_another_process_writes_and_removes_is_seen(looms: list[LocalLoom], run: UUID) -> None:
    one, other = looms
    tell(one, run, "a")
    assert known(one) == known(other) == {digest("a")}
    tell(other, run, "b")
    assert known(one) == known(other) == {digest("a"), digest("b")}
    tell(other, run, "a", bytes(7) + b"x")
    assert known(one) == {digest("b")}
    assert known(one, bytes(7) + b"x") == {digest("a")}


def test_a_result_takes_its_fingerprint_along_and_its_number_is_not_given_again(
    looms: list[LocalLoom], run: UUID
) -> None:
    one, other = looms
    tell(one, run, "a")
    tell(one, run, "b")
    assert known(one) == {digest("a"), digest("b")}
    write(other, "DELETE FROM results WHERE asset = (SELECT max(id) FROM assets)")
    tell(other, run, "c")
    assert known(one) == {digest("a"), digest("c")}
    write(other, "DELETE FROM results")
    assert known(one) == known(one) == set()
    tell(other, run, "d")
    assert known(one) == {digest("d")}


def test_many_are_read_in_pieces(looms: list[LocalLoom], run: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "_AT_ONCE", 3)
    monkeypatch.setattr(similar, "_FIRST_ROOM", 2)
    names = [str(number) for number in range(10)]
    for name in names:
        tell(looms[0], run, name)
    assert known(looms[1]) == {digest(name) for name in names}


def test_a_transaction_that_ends_later_is_not_passed_over(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """One writer has its number first, and commits last."""
    url = request.getfixturevalue("postgresql").emptied_database()
    first, second = (LocalLoom(Database.open(url), tmp_path, SilentBus(), toy_operators()) for _ in range(2))
    begin(first)
    made = opening(steps=(PHASH,))
    first.open_run(made)
    tell(first, made.uuid, "slow", b"anything")
    writer = threading.Thread(target=tell, args=(second, made.uuid, "quick"))
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    def is_decided() -> bool:
        with second._database.read() as connection:
            return not writer.is_alive() or connection.execute(waits).scalar_one() > 0

    with first._database.write() as connection:
        asset, signature = connection.execute(text("SELECT asset, signature FROM results")).one()
        fingerprints.add(connection, [fingerprints.Taken(asset, signature, "image.phash", HASH)])
        writer.start()
        until(is_decided)
        assert known(second) <= {digest("quick")}
    writer.join()
    assert known(second) == {digest("slow"), digest("quick")}
    first.close()
    second.close()


def test_fingerprints_of_stored_results_are_kept_by_the_migration(
    looms: list[LocalLoom], run: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(r0009, "_AT_ONCE", 2)
    for name in "abc":
        tell(looms[0], run, name)
    tell(looms[0], run, "nothing", bytes(8))
    write(looms[0], "DELETE FROM fingerprints")
    assert known(looms[0]) == set()
    with looms[0]._database.write() as connection:
        r0009.fill(connection)
    assert known(looms[1]) == {digest("a"), digest("b"), digest("c")}
