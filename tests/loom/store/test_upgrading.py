"""What a migration takes from the results that are stored is what a new database would have from the beginning."""

from __future__ import annotations

import json
from datetime import date

from ledgers import begin, digest, failed, found, report
from sqlalchemy import text

from loom.model import Branch, State, StepRef, StoredResult
from loom.steering import AssetQuery
from loom.store.migrations.versions import r0006_what_assets_say as r0006
from loom.store.migrations.versions import r0010_colours as r0010
from loom.store.migrations.versions import r0011_causes as r0011
from loom.store.migrations.versions import r0012_belonging_together as r0012

METADATA = StepRef("metadata", "media.metadata", "1", digest("step metadata"))
OLD = StepRef("metadata", "media.metadata", "0", digest("step old metadata"))
COUNT = 7
_FORGOTTEN = ("DELETE FROM asset_texts", "UPDATE asset_traits SET day = NULL, latitude = NULL, longitude = NULL")


def said(step: StepRef, **outputs) -> StoredResult:
    return StoredResult(step.signature, State.COMPLETED, Branch.PASS, json.dumps(outputs).encode())


def fill(loom) -> None:
    run = begin(loom, steps=(METADATA, OLD))
    for number in range(COUNT):
        old = said(OLD, captured_at="1999-01-01T00:00:00", title="old")
        new = said(METADATA, captured_at=f"2024-05-0{number + 1}T10:00:00", latitude=50.0 + number, longitude=8,
                   title=f"Tour {number}")  # fmt: skip
        loom.report(run, [report(str(number), found(b"/d/%d" % number), results=[old])])
        loom.report(run, [report(str(number), found(b"/d/%d" % number), results=[new])])


def test_what_stored_results_say_is_found_after_the_migration(each, monkeypatch):
    monkeypatch.setattr(r0006, "_AT_ONCE", 3)
    fill(each)
    with each._database.write() as connection:
        for statement in _FORGOTTEN:
            connection.execute(text(statement))
    assert each.assets(AssetQuery(text="tour")).items == []
    with each._database.write() as connection:
        r0006.fill(connection)

    def names(**asked):
        return sorted(item.locations[0].path[-1] for item in each.assets(AssetQuery(**asked)).items)

    assert names(text="tour 3") == ["3"]
    assert len(names(text="tour")) == len(names(text="old")) == COUNT
    assert names(near="52,8.01") == ["2"]
    assert names(captured_from=date(2024, 5, 6)) == ["5", "6"]
    assert names(captured_to=date(1999, 12, 31)) == [], "the newest metadata counts"


COLOURS = StepRef("colours", "image.dominant-color", "1", digest("step colours"))
OLD_COLOURS = StepRef("colours", "image.dominant-color", "0", digest("step old colours"))


def coloured(step: StepRef, name: str) -> StoredResult:
    return said(step, colors=[{"name": name, "hex": "#000000", "lab": [50, 10, 10], "share": 0.5}])


def test_the_colours_of_stored_results_are_found_after_the_migration(each, monkeypatch):
    monkeypatch.setattr(r0010, "_AT_ONCE", 2)
    run = begin(each, steps=(COLOURS, OLD_COLOURS))
    for number in range(3):
        place = found(b"/d/%d" % number)
        each.report(run, [report(str(number), place, results=[coloured(OLD_COLOURS, "red")])])
        each.report(run, [report(str(number), place, results=[coloured(COLOURS, "blue")])])
    with each._database.write() as connection:
        connection.execute(text("DELETE FROM asset_colours"))
        r0010.fill(connection)
    assert len(each.assets(AssetQuery(color="blue")).items) == 3
    assert each.assets(AssetQuery(color="red")).items == [], "the newest colours count"


def test_failures_that_are_stored_have_their_causes_after_the_migration(each):
    run = begin(each)
    each.report(run, [report(name, results=[failed(0, message=f"cut at byte {name}"), failed(1)]) for name in "123"])
    before = each.failures()
    with each._database.write() as connection:
        connection.execute(text("UPDATE results SET cause = NULL"))
        r0011.fill(connection)
    assert each.failures() == before
    assert len({group.cause for group in before}) == 2


def test_what_belongs_together_is_found_after_the_migration(each, monkeypatch):
    monkeypatch.setattr(r0012, "_AT_ONCE", 2)
    run = begin(each, steps=(METADATA,))
    for number in range(3):
        shot = said(METADATA, camera_model="One", captured_at=f"2024-05-17T14:03:2{number}+02:00", duration_s=2)
        each.report(run, [report(str(number), found(b"/d/%d.jpg" % number), results=[shot])])
    before = each.beside(digest("1"))
    told = [(one.name, one.shot.zone, one.shot.duration_ms) for one in before]
    assert told == [(b"0.jpg", 120, 2000), (b"2.jpg", 120, 2000)]
    with each._database.write() as connection:
        connection.execute(text("UPDATE asset_traits SET moment = NULL, zone = NULL, duration_ms = NULL"))
        r0012.fill(connection)
    assert each.beside(digest("1")) == before
