"""Kill -9 of a process that stores: nothing that was said to be stored is lost, nothing is half there."""

from __future__ import annotations

import os
import signal

import pytest
from ledgers import STEPS, digest

from loom.model import asset_uuid

WRITER = """
loom = open_loom()
run = begin(loom)
print(run)
for n in range(100_000):
    new, ref = artifact(b"derived %d" % n * 500)
    loom.put_artifacts([new])
    loom.report(run, [
        report(f"{n}-{k}", found(b"/d/%d-%d" % (n, k)), results=[done(0), done(1, artifacts=(ref,))],
               outcomes=[COMPUTED, COMPUTED], settled=True, collections=("all",))
        for k in range(20)
    ])
    print(n)
"""


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_what_was_reported_is_there_after_a_kill(start, lines, tmp_path, reopen):
    writer = start(WRITER)
    writer.stdout.readline()
    for _ in range(lines):
        writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    told = lines + len(writer.stdout.read().split("\n")) - 1
    loom = reopen()
    signatures = [step.signature for step in STEPS]
    for n in range(told):
        for known in loom.lookup([digest(f"{n}-{k}") for k in range(20)], signatures, [loom.runs().items[0].uuid]):
            assert known.walked
            assert len(known.results) == 2
    assert loom.asset(asset_uuid(digest("0-0"))).collections == ["all"]
    with loom._database.read() as connection:
        counts = {
            table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            for table in ("assets", "locations", "outcomes", "settled", "collection_assets")
        }
        assert len(set(counts.values())) == 1
        assert counts["assets"] in (20 * told, 20 * (told + 1))
    assert loom.verify("elsewhere", read_data=True).findings == []
    assert list((tmp_path / "blobs" / ".new").iterdir()) == []
