from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from cortex.request import Request
from cortex.watching.named import NamedStore
from cortex.watching.polled import JITTER, LONGEST_AWAY_S, Polled
from loom.errors import LoomError


def wait_of(root: Polled, now: float) -> float:
    """How long it takes until it is due, by seconds."""
    return next(second for second in range(10_000) if root.must_be_walked(now + second))


def about(seconds: float) -> pytest.approx:
    return pytest.approx(seconds, rel=JITTER, abs=1)


def test_it_is_gone_through_now_and_then_and_later_while_it_is_away() -> None:
    root = Polled(b"s3://bucket", 300.0)
    assert root.must_be_walked(0.0)
    root.walked(0.0)
    assert wait_of(root, 0.0) == about(300)
    root.done(100.0, reached=True)
    assert wait_of(root, 100.0) == about(300)
    waits = []
    for _ in range(8):
        root.done(0.0, reached=False)
        waits.append(wait_of(root, 0.0))
    assert waits == [about(seconds) for seconds in (30, 60, 120, 240, 480, 900, 900, 900)]
    root.done(0.0, reached=True)
    root.done(0.0, reached=False)
    assert wait_of(root, 0.0) == about(30)


def test_times_are_never_all_the_same() -> None:
    ends = set()
    for _ in range(20):
        root = Polled(b"s3://bucket", 1000.0)
        root.done(0.0, reached=True)
        ends.add(wait_of(root, 0.0))
    assert len(ends) > 1


def test_by_a_schedule_only_what_is_away_is_tried_again() -> None:
    root = Polled(b"s3://bucket", math.inf)
    root.done(0.0, reached=True)
    assert not root.must_be_walked(1e9)
    for _ in range(10):
        root.done(0.0, reached=False)
    assert wait_of(root, 0.0) == about(LONGEST_AWAY_S)


def test_a_long_interval_is_no_shorter_while_it_is_away() -> None:
    root = Polled(b"s3://bucket", 2 * LONGEST_AWAY_S)
    for _ in range(10):
        root.done(0.0, reached=False)
    assert wait_of(root, 0.0) == about(2 * LONGEST_AWAY_S)


def pipeline(path: Path, operator: str, config: dict[str, str]) -> Request:
    nodes = [
        {"id": "files", "operator": operator, "config": config},
        {"id": "sha256", "operator": "hash.sha256"},
    ]
    edges = [{"from": {"node": "files"}, "to": {"node": "sha256"}}]
    path.write_text(json.dumps({"schema_version": 1, "name": "some", "graph": {"nodes": nodes, "edges": edges}}))
    return Request(pipeline=str(path))


def test_the_store_of_a_pipeline(tmp_path: Path) -> None:
    request = pipeline(tmp_path / "a.json", "source.fsspec", {"url": "sftp://anna@host/photos"})
    store = NamedStore(request)
    assert (store.look(None), store.look(None), store.address) == (True, False, b"sftp://anna@host/photos")
    pipeline(tmp_path / "a.json", "source.s3", {"url": "s3://bucket"})
    assert (store.look(None), store.address) == (True, b"s3://bucket")
    with pytest.raises(LoomError, match="leave out the paths") as caught:
        NamedStore(request._replace(paths=(tmp_path,))).look(None)
    assert caught.value.code == "USAGE"
    plain = NamedStore(pipeline(tmp_path / "b.json", "source.filesystem", {})._replace(paths=(tmp_path,)))
    assert (plain.look(None), plain.address) == (False, None)
