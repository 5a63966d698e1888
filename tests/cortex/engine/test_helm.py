from uuid import UUID

import pytest

from cortex.engine.helm import Helm
from loom.model import Depth, Pause
from loom.steering import RunOrders

RUN, OTHER = UUID(int=1), UUID(int=2)


class Ship:
    """Writes down what it is told."""

    def __init__(self):
        self.log = []

    def pause(self, depth):
        self.log.append(depth)

    def limit(self, concurrency):
        self.log.append(concurrency)

    def stop(self):
        self.log.append("stop")

    def abort(self):
        self.log.append("abort")


@pytest.fixture
def ship():
    return Ship()


@pytest.fixture
def notes():
    return []


@pytest.fixture
def helm(ship, notes):
    return Helm(ship, notes.append)


def pause(owner="user", depth=Depth.NEW, since=1, reason=""):
    return Pause(owner=owner, depth=depth, since=since, reason=reason)


def test_a_pause_is_passed_on_once_and_lifted_when_nobody_holds_it(helm, ship, notes):
    held = [RunOrders(run=RUN, pauses=(pause(reason="backup"),))]
    helm.obey(held)
    helm.obey(held)
    helm.obey([RunOrders(run=RUN)])
    helm.obey([RunOrders(run=RUN)])
    assert ship.log == [Depth.NEW, None]
    assert notes == ["the run is paused by user: backup", "the run goes on"]


def test_the_deepest_pause_of_all_runs_holds(helm, ship):
    mine, theirs = pause(), pause(owner="schedule", depth=Depth.NOW, since=2)
    helm.obey([RunOrders(run=RUN, pauses=(mine,)), RunOrders(run=OTHER, pauses=(theirs,))])
    helm.obey([RunOrders(run=RUN, pauses=(mine,)), RunOrders(run=OTHER)])
    assert ship.log == [Depth.NOW, Depth.NEW]


def test_the_smaller_of_loom_s_limits_and_this_machine_s_is_passed_on_when_it_changes(ship, notes):
    helm = Helm(ship, notes.append, {"gpu": 2})
    assert ship.log == [{"gpu": 2}]
    helm.obey([RunOrders(run=RUN, limits={"gpu": 3, "network": 1}), RunOrders(run=OTHER, limits={"network": 4})])
    helm.limit({"gpu": 3, "network": 1})
    helm.obey([RunOrders(run=RUN)])
    assert ship.log == [{"gpu": 2}, {"gpu": 2, "network": 1}, {"gpu": 2}]


def test_a_cancelled_run_finishes_what_is_in_hand(helm, ship):
    helm.obey([RunOrders(run=RUN, cancelled=True)])
    helm.obey([RunOrders(run=RUN, cancelled=True)])
    assert ship.log == ["stop"]
    assert helm.cancelled


@pytest.mark.parametrize("depth", [Depth.NODE, Depth.NOW])
def test_what_stands_still_in_mid_walk_is_not_waited_for(helm, ship, depth):
    helm.obey([RunOrders(run=RUN, pauses=(pause(depth=depth),))])
    helm.interrupt()
    assert ship.log == [depth, "abort", "stop"]


def test_a_lost_run_ends_at_once(helm, ship):
    helm.obey([RunOrders(run=RUN, lost=True, pauses=(pause(),))])
    assert (ship.log, helm.lost) == (["abort"], True)


def test_the_second_interrupt_ends_at_once(helm, ship):
    helm.interrupt()
    helm.interrupt()
    assert ship.log == ["stop", "abort", "stop"]
