"""Several processes and threads that want the same runs."""

from __future__ import annotations

import threading
from uuid import uuid4

from ledgers import HOST, definition

from loom.service.dryruns import MOST, DryRuns
from loom.steering import RunRequest
from loom.store import requests


def asked(loom, **more):
    loom.save_pipeline(definition())
    made = RunRequest(uuid=uuid4(), pipeline="photos", version=0, queued=0, paths=(b"/data",), **more)
    return loom.request_run(made).uuid


def test_of_two_workers_that_claim_at_once_each_run_has_one(looms):
    runs = {asked(looms[0]) for _ in range(20)}
    start = threading.Barrier(4)
    claimed = []

    def work(number):
        loom = looms[number % 2]
        start.wait()
        while (got := loom.claim_run(f"worker {number}", HOST)) is not None:
            claimed.append(got.uuid)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(runs), "every run once"


def test_another_process_claims_too(loom, start):
    runs = {str(asked(loom)) for _ in range(30)}
    code = """
loom = open_loom()
print("ready", flush=True)
sys.stdin.readline()
while (got := loom.claim_run(str(os.getpid()), "here")) is not None:
    print(got.uuid)
"""
    processes = [start(code) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    claimed = [line for process in processes for line in process.communicate()[0].split()]
    assert len(claimed) == 30
    assert set(claimed) == runs


def test_a_claim_is_not_renewed_by_who_lost_it(looms):
    first, second = looms
    run = asked(first)
    now = 10**15
    with first._database.write() as connection:
        requests.claim(connection, "first", HOST, now)
    later = now + requests.LEASE_US + 1
    with second._database.write() as connection:
        assert requests.claim(connection, "second", HOST, later).uuid == run
    with first._database.write() as connection:
        requests.renew(connection, "first", [run], later + requests.LEASE_US)
    with second._database.write() as connection:
        assert requests.claim(connection, "third", HOST, later + requests.LEASE_US + 1).uuid == run


def test_runs_that_were_asked_for_are_not_taken_for_abandoned(loom):
    from ledgers import WORKER, begin, opening

    own, run = begin(loom), asked(loom)
    loom.claim_run(WORKER.name, HOST)
    loom.open_run(opening(uuid=run))
    assert loom.end_abandoned_runs(HOST) == 1
    assert (loom.run(own).state, loom.run(run).state) == ("FAILED", "RUNNING")


def test_only_so_many_dry_runs_are_kept_the_ended_ones_go_first():
    runs = DryRuns()
    made = [RunRequest(uuid=uuid4(), pipeline="p", version=1, queued=n, dry_run=True) for n in range(MOST + 2)]
    for one in made[:MOST]:
        assert runs.add(one, 0)
    assert not runs.add(made[0], 0)
    runs.cancel(made[7].uuid, 1)
    runs.add(made[MOST], 0)
    assert made[7].uuid not in runs
    assert made[0].uuid in runs
    runs.add(made[MOST + 1], 0)
    assert made[0].uuid not in runs
    assert len(list(runs.listed(None, {}))) == MOST
