"""What a worker makes of a run that was asked for."""

from __future__ import annotations

import platform
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from databases import new_sqlite
from ledgers import SilentBus, begin, digest, found, report, toy_operators

from cortex.worker import request_of
from loom.model import Branch, State, StepRef, StoredResult
from loom.service import LocalLoom
from loom.steering import AssetQuery, RunRequest
from loom.store.database import Database

METADATA = StepRef("metadata", "media.metadata", "1", digest("step metadata"))
TAKEN = {"old": b'{"captured_at":"1999-01-01T00:00:00","camera_model":"Box"}', "new": b'{"captured_at":"2024-05-17"}'}


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        (AssetQuery(year=1999), [b"/data/old"]),
        (AssetQuery(camera="Box"), [b"/data/old"]),
        (AssetQuery(captured_from=date(2024, 1, 1)), [b"/data/new"]),
        (AssetQuery(), [b"/data/old", b"/data/new"]),
    ],
)
def test_a_filter_means_the_same_as_in_the_library(tmp_path: Path, query: AssetQuery, meant: list[bytes]) -> None:
    loom = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", SilentBus(), toy_operators())
    run = begin(loom, steps=(METADATA,), host=platform.node())
    for name, outputs in TAKEN.items():
        results = [StoredResult(METADATA.signature, State.COMPLETED, Branch.PASS, outputs)]
        loom.report(run, [report(name, found(b"/data/" + name.encode()), results=results)])
    wanted = RunRequest(uuid=uuid4(), pipeline="photos", version=1, queued=0, query=query)
    assert list(request_of(loom, wanted, "worker", loom_url=None, jobs=None).places) == meant
    loom.close()


def test_a_run_over_a_source_is_an_ingest_of_it_by_its_name(tmp_path: Path) -> None:
    loom = LocalLoom(Database.open(new_sqlite(tmp_path)), tmp_path / "blobs", SilentBus(), toy_operators())
    wanted = RunRequest(uuid=uuid4(), pipeline="photos", version=1, queued=0, paths=(b"/was/here",), source="card")
    made = request_of(loom, wanted, "worker", loom_url=None, jobs=None)
    assert (made.sources, made.paths, made.places, made.pipeline) == (("card",), (), (), "photos")
    loom.close()
