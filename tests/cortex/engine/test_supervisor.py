from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from sandboxes import QUICK, item

from cortex.engine.crew import MAX_BATCH, Hand
from cortex.engine.records import Setup
from cortex.engine.supervisor import Supervisor
from cortex.engine.wire import Line
from cortex.engine.workload import Workload


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """With two workers that are ready, quick and never say anything."""
    made = Supervisor(Setup((), limits=QUICK), 2)
    ends = [socket.socketpair() for _ in range(2)]
    made.crew.hands = [Hand(slot, Line(ours), 0.0, ready=True, size=MAX_BATCH) for slot, (ours, _) in enumerate(ends)]
    yield made
    for hand in made.crew.hands:
        hand.items.clear()
        hand.leaving = True
    made.close()
    for _, theirs in ends:
        theirs.close()


def shares(supervisor: Supervisor, files: int) -> list[int]:
    """How many files each batch has, when the workers end all they have before they get more."""
    supervisor.work = Workload(iter([item(token) for token in range(files)]))
    dealt: list[int] = []
    while supervisor.work.backlog or not supervisor.work.exhausted:
        supervisor.supply()
        for hand in supervisor.crew.hands:
            dealt.extend(hand.batches)
            hand.batches.clear()
            hand.items.clear()
    return dealt


def test_shares_become_smaller_towards_the_end(supervisor: Supervisor) -> None:
    """So that no worker has much left when the others have nothing."""
    dealt = shares(supervisor, 1000)
    assert sum(dealt) == 1000
    assert dealt[0] == MAX_BATCH, "while there is enough, batches are as large as they may be"
    assert dealt == sorted(dealt, reverse=True)
    assert dealt[-4:] == [1, 1, 1, 1]


def test_few_files_are_shared_out(supervisor: Supervisor) -> None:
    assert shares(supervisor, 8) == [2, 2, 1, 1, 1, 1]
