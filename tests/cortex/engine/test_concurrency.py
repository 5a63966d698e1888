from collections.abc import Callable
from typing import Any

from cortex.catalogue import load
from cortex.engine.concurrency import Limited, limited_steps, names_of, smallest


def test_the_smaller_number_holds() -> None:
    limits = smallest({"gpu": 2, "network": 4}, {"gpu": 3, "jobs": 1}, {"network": 1})
    assert limits == {"gpu": 2, "network": 1, "jobs": 1}
    assert smallest() == {}


def test_a_node_counts_for_its_operator_and_its_capabilities() -> None:
    assert names_of("map.draw", {"network", "gpu"}) == ("gpu", "map.draw", "network")


def test_steps_in_worker_processes_are_found_in_all_lanes(
    make_plan: Callable[..., Any], make_step: Callable[..., Any]
) -> None:
    sha, other = ({"operator": name} for name in ("hash.sha256", "nobody.has-it"))
    collect = {"operator": "sink.collect", "sandboxed": False}
    one = make_plan(make_step(0, "a", **sha), make_step(1, "b", **collect), make_step(2, "c", **other))
    two = make_plan(make_step(0, "a", **sha), make_step(1, "b", **sha))
    assert limited_steps([one, two], load()) == (
        Limited("hash.sha256", frozenset({(0, 0), (1, 0), (1, 1)})),
        Limited("nobody.has-it", frozenset({(0, 2)})),
    )
