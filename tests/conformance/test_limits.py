"""How much is done at a time."""

from __future__ import annotations

from uuid import uuid4

import pytest
from ledgers import HOST, WORKER, definition

from loom.errors import LoomError
from loom.steering import RunOrders, RunRequest


def test_limits_are_set_changed_and_lifted(loom):
    assert loom.limits() == {}
    assert loom.set_limit("network", 4) == {"network": 4}
    assert loom.set_limit("hash.sha256", 1) == {"hash.sha256": 1, "network": 4}
    assert loom.set_limit("network", 2**31 - 1) == {"hash.sha256": 1, "network": 2**31 - 1}
    assert loom.set_limit("network", None) == loom.limits() == {"hash.sha256": 1}
    assert loom.set_limit("network", None) == {"hash.sha256": 1}


@pytest.mark.parametrize(
    ("name", "number"), [("jobs", 0), ("jobs", -1), ("jobs", 2**31), ("Jobs", 1), ("a b", None), ("x" * 201, 1)]
)
def test_what_is_no_limit(loom, name, number):
    with pytest.raises(LoomError) as refused:
        loom.set_limit(name, number)
    assert refused.value.code == "REQUEST_INVALID"
    assert loom.limits() == {}


@pytest.mark.parametrize("dry_run", [False, True])
def test_every_worker_is_told(loom, dry_run):
    loom.save_pipeline(definition())
    asked = RunRequest(uuid=uuid4(), pipeline="photos", version=0, queued=0, paths=(b"/d",), dry_run=dry_run)
    loom.request_run(asked)
    claimed, of_its_own = loom.claim_run(WORKER.name, HOST), uuid4()
    for number in (3, 1, None):
        loom.set_limit("jobs", number)
        limits = {} if number is None else {"jobs": number}
        assert loom.orders(WORKER.name, [claimed.uuid, of_its_own]) == [
            RunOrders(run=claimed.uuid, limits=limits), RunOrders(run=of_its_own, limits=limits)
        ]  # fmt: skip
