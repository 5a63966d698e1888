"""What a migration takes from the results that are stored is what a new database would have from the beginning."""

from __future__ import annotations

import json
from datetime import date

import pytest
from ledgers import SilentBus, begin, digest, found, opening, report, toy_operators
from sqlalchemy import text

from loom.model import Branch, State, StepRef, StoredResult
from loom.service import LocalLoom
from loom.steering import AssetQuery
from loom.store.database import Database
from loom.store.migrations.versions import r0006_what_assets_say as r0006

METADATA = StepRef("metadata", "media.metadata", "1", digest("step metadata"))
OLD = StepRef("metadata", "media.metadata", "0", digest("step old metadata"))
COUNT = 7
_FORGOTTEN = ("DELETE FROM asset_texts", "UPDATE asset_traits SET day = NULL, latitude = NULL, longitude = NULL")


def said(step: StepRef, **outputs) -> StoredResult:
    return StoredResult(step.signature, State.COMPLETED, Branch.PASS, json.dumps(outputs).encode())


def fill(loom) -> None:
    begin(loom)
    made = opening(steps=(METADATA, OLD))
    loom.open_run(made)
    for number in range(COUNT):
        old = said(OLD, captured_at="1999-01-01T00:00:00", title="old")
        new = said(METADATA, captured_at=f"2024-05-0{number + 1}T10:00:00", latitude=50.0 + number, longitude=8,
                   title=f"Tour {number}")  # fmt: skip
        loom.report(made.uuid, [report(str(number), found(b"/d/%d" % number), results=[old])])
        loom.report(made.uuid, [report(str(number), found(b"/d/%d" % number), results=[new])])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_stored_results_say_is_found_after_the_migration(kind, request, url, tmp_path, monkeypatch):
    monkeypatch.setattr(r0006, "_AT_ONCE", 3)
    there = url if kind == "sqlite" else request.getfixturevalue("postgresql").new_database()
    loom = LocalLoom(Database.open(there), tmp_path / "blobs", SilentBus(), toy_operators())
    fill(loom)
    with loom._database.write() as connection:
        for statement in _FORGOTTEN:
            connection.execute(text(statement))
    assert loom.assets(AssetQuery(text="tour")).items == []
    with loom._database.write() as connection:
        r0006.fill(connection)

    def names(**asked):
        return sorted(item.locations[0].path[-1] for item in loom.assets(AssetQuery(**asked)).items)

    assert names(text="tour 3") == ["3"]
    assert len(names(text="tour")) == len(names(text="old")) == COUNT
    assert names(near="52,8.01") == ["2"]
    assert names(captured_from=date(2024, 5, 6)) == ["5", "6"]
    assert names(captured_to=date(1999, 12, 31)) == [], "the newest metadata counts"
    loom.close()
