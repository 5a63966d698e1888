import sys

import pytest

from cortex.engine import limits
from cortex.engine.limits import Limits, granted


def test_time_grows_with_the_size_of_the_file() -> None:
    given = Limits(base_s=60.0, bytes_per_s=10e6)
    assert given.time_limit(0) == 60.0
    assert given.time_limit(6_000_000_000) == 660.0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems grant less")
def test_linux_grants_every_limit() -> None:
    grants = granted()
    assert [grant.name for grant in grants if not grant.ok] == []
    assert {"memory", "open files", "real time", "processor time", "no network", "no writing"} <= {
        g.name for g in grants
    }
    assert all(grant.sentence for grant in grants)


def test_it_is_said_when_nothing_can_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.sys, "executable", "/nonexistent/python")
    (grant,) = granted()
    assert not grant.ok
    assert "no process could be started" in grant.sentence
