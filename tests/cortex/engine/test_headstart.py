import os
from pathlib import Path

import pytest
from programs import until
from sandboxes import QUICK, children_of, item, run

from cortex.engine.headstart import HeadStart
from cortex.engine.records import Setup
from cortex.engine.sandbox import Sandbox

GOOD = Setup((), limits=QUICK, walker="deeds:Deeds", preload=())


def test_workers_are_prepared_for_before_there_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = tmp_path / "prepared"
    monkeypatch.setenv("DEEDS_PREPARED", str(prepared))
    setup = GOOD._replace(preload=("deeds:prepare",))
    with HeadStart(2, byte_code=False) as early, Sandbox(setup, jobs=2, head_start=early) as box:
        server = children_of(os.getpid())
        until(prepared.exists)
        assert set(run(box, [item(1), item(2)])) == {1, 2}
        assert children_of(os.getpid()) == server
    assert children_of(os.getpid()) == set()


def test_one_that_nobody_takes_ends() -> None:
    with HeadStart(2, byte_code=False) as early, Sandbox(GOOD, jobs=2, head_start=early) as box:
        assert len(children_of(os.getpid())) == 1
        assert run(box, []) == {}
    assert children_of(os.getpid()) == set()


def test_one_for_fewer_workers_is_not_taken() -> None:
    with HeadStart(1, byte_code=False) as early, Sandbox(GOOD, jobs=2, head_start=early) as box:
        assert set(run(box, [item(1), item(2)])) == {1, 2}
        assert len(children_of(os.getpid())) == 2
    assert children_of(os.getpid()) == set()


def test_only_the_first_takes_it() -> None:
    with HeadStart(2, byte_code=False) as early:
        with Sandbox(GOOD, jobs=2, head_start=early) as box:
            assert set(run(box, [item(1)])) == {1}
        assert children_of(os.getpid()) == set()
        with Sandbox(GOOD, jobs=2, head_start=early) as box:
            assert set(run(box, [item(2)])) == {2}
    assert children_of(os.getpid()) == set()
