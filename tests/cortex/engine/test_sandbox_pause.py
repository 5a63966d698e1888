"""Pauses of the sandbox, with real worker processes."""

import threading
import time
from collections.abc import Iterator, Sequence

from sandboxes import QUICK, item, sandbox, walk_all

from cortex.engine.records import Answer, Identity, Item
from loom.model import Depth


def test_what_was_dropped_is_done_again_and_nobody_is_blamed() -> None:
    with sandbox(jobs=2) as box:
        walks = box.run(iter([item(1), item(2, "slow@0"), item(3, "slow@0"), item(4)]), walk_all)
        first = next(walks)
        box.pause(Depth.NOW)
        gone_on = threading.Timer(0.5, box.pause, (None,))
        gone_on.start()
        began = time.monotonic()
        rest = list(walks)
        gone_on.join()
        assert time.monotonic() - began >= 0.5, "nothing is done during a pause"
    assert sorted(walked.token for walked in [first, *rest]) == [1, 2, 3, 4]
    assert all(walked.failure is None and not any(c.error_code for c in walked.computed) for walked in [first, *rest])


def test_nothing_is_dealt_during_a_pause_after_this_node() -> None:
    taken: list[int] = []

    def source() -> Iterator[Item]:
        for token in range(1, 40):
            taken.append(token)
            yield item(token)

    with sandbox(jobs=1) as box:
        walks = box.run(source(), walk_all)
        next(walks)
        box.pause(Depth.NODE)
        threading.Timer(0.3, box.pause, (None,)).start()
        before = None
        for _ in walks:
            before = before or len(taken)
    assert before is not None
    assert before < 39, "a pause leaves what the source has with the source"
    assert len(taken) == 39


def test_a_worker_that_waits_long_for_its_answer_is_not_to_blame() -> None:
    def answer(identities: Sequence[Identity]) -> list[Answer]:
        time.sleep(0.6)
        return walk_all(identities)

    with sandbox(jobs=1, limits=QUICK._replace(base_s=0.2)) as box:
        walked = list(box.run(iter([item(1), item(2)]), answer))
    assert [one.failure for one in walked] == [None, None]
