import asyncio
import gc
import logging
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sandboxes import QUICK, descriptors, failed_steps, item, processes_of, run, sandbox, walk_all

from cortex.engine.crew import MAX_BATCH
from cortex.engine.records import Answer, Item, Walked
from loom.errors import LoomError


def test_every_file_is_walked_once() -> None:
    with sandbox() as box:
        walked = run(box, [item(token) for token in range(300)])
    assert set(walked) == set(range(300))
    assert not any(one.failure or one.computed for one in walked.values())


def test_nothing_is_started_without_work() -> None:
    with sandbox() as box:
        assert run(box, []) == {}
        assert processes_of(os.getpid()) == set()


def test_no_more_workers_are_started_than_there_are_files() -> None:
    with sandbox(jobs=4) as box:
        run(box, [item(1)])
        assert len(processes_of(os.getpid())) == 2


def test_few_slow_files_are_spread_over_all_workers() -> None:
    with sandbox(jobs=2) as box:
        run(box, [item(1), item(2)])
        started = time.monotonic()
        run(box, [item(token, "slow@0") for token in (3, 4)])
        assert time.monotonic() - started < 0.55


def test_the_source_is_read_no_further_than_workers_have_room() -> None:
    taken = 0

    def source() -> Iterator[Item]:
        nonlocal taken
        for taken in range(1, 10_001):
            yield item(taken)

    with sandbox(jobs=2) as box:
        for done, _ in enumerate(box.run(source(), walk_all), 1):
            assert taken - done <= 2 * 5 * MAX_BATCH
            if done == 3000:
                break


def test_everything_ends_with_the_sandbox() -> None:
    gc.collect()
    before = descriptors()
    with sandbox() as box:
        run(box, [item(token) for token in range(50)])
        assert processes_of(os.getpid())
        assert descriptors() > before
    assert processes_of(os.getpid()) == set()
    assert descriptors() == before
    box.close()


def test_a_file_that_is_not_to_be_walked_is_not_yielded() -> None:
    def answer(identities: Any) -> list[Answer]:
        return [Answer(identity.token, walk=identity.token % 2 == 0) for identity in reversed(identities)]

    with sandbox() as box:
        tokens = {walked.token for walked in box.run(iter([item(token) for token in range(100)]), answer)}
        assert tokens == set(range(0, 100, 2))
        assert box.in_flight == 0


def test_files_may_be_handed_in_again_and_later() -> None:
    seen: list[tuple[int, float]] = []
    with sandbox() as box:
        started = time.monotonic()
        for walked in box.run(iter([item(1), item(2)]), walk_all):
            seen.append((walked.token, time.monotonic() - started))
            if walked.token < 10:
                box.requeue(item(walked.token + 10), 0.3 if walked.token == 1 else 0.0)
    assert sorted(token for token, _ in seen) == [1, 2, 11, 12]
    assert seen[-1][0] == 11
    assert seen[-1][1] > 0.3


def test_a_source_may_have_nothing_for_a_while() -> None:
    ready = threading.Event()

    def source() -> Iterator[Item | None]:
        yield item(1)
        while not ready.is_set():
            yield None
        yield item(2)

    with sandbox() as box:
        walks = box.run(source(), walk_all)
        assert next(walks).token == 1
        threading.Timer(0.05, ready.set).start()
        assert [walked.token for walked in walks] == [2]


def test_stop_finishes_what_is_in_flight() -> None:
    def endless() -> Iterator[Item]:
        token = 0
        while True:
            token += 1
            yield item(token, "slow@0")

    with sandbox() as box:
        walks = box.run(endless(), walk_all)
        first = next(walks)
        box.requeue(item(10_000), 3600.0)
        in_flight = box.in_flight
        box.stop()
        rest = list(walks)
        assert first.failure is None
        assert in_flight - 1 <= len(rest) <= in_flight + 1
        assert all(not failed_steps(walked) for walked in rest)


def test_close_ends_a_run_that_waits_in_another_thread() -> None:
    box = sandbox()
    found: list[Walked] = []
    thread = threading.Thread(target=lambda: found.extend(box.run(iter([item(1, "slow@0")]), walk_all)))
    thread.start()
    while not any(current.step == 0 for current in box.current()):
        time.sleep(0.005)
    box.close()
    thread.join(5)
    assert not thread.is_alive()
    assert found == []
    assert processes_of(os.getpid()) == set()


def test_it_tells_what_is_at_work() -> None:
    with sandbox(jobs=1) as box:
        seen = []

        def watch() -> None:
            while not seen:
                seen.extend(c for c in box.current() if c.step == 2)
                time.sleep(0.005)

        thread = threading.Thread(target=watch)
        thread.start()
        before = time.monotonic()
        run(box, [item(7, "slow@2", steps=3)])
        thread.join(5)
    assert (seen[0].token, seen[0].lane, seen[0].step) == (7, 0, 2)
    assert before < seen[0].since < time.monotonic()


def test_a_slow_file_does_not_keep_the_results_of_others_back() -> None:
    with sandbox(jobs=1) as box:
        run(box, [item(token) for token in range(200)])
        arrived = {}
        for walked in box.run(iter([item(1), item(2), item(3, "slow@0")]), walk_all):
            arrived[walked.token] = time.monotonic()
        assert arrived[3] - arrived[1] > 0.2


def test_a_slow_consumer_loses_no_worker() -> None:
    with sandbox(jobs=1) as box:
        count = 0
        for walked in box.run(iter([item(token) for token in range(200)]), walk_all):
            count += 1
            assert walked.failure is None
            if count in (1, 50):
                before = processes_of(os.getpid())
                time.sleep(QUICK.base_s * 3)
                assert processes_of(os.getpid()) == before
        assert count == 200


def test_a_worker_retires_after_its_share() -> None:
    with sandbox(jobs=1, limits=QUICK._replace(recycle=20)) as box:
        found = []
        workers = set()
        for walked in box.run(iter([item(token) for token in range(200)]), walk_all):
            found.append(walked.token)
            workers |= processes_of(os.getpid())
        assert sorted(found) == list(range(200))
        assert len(workers) > 3


def test_a_worker_that_holds_on_to_memory_retires() -> None:
    with sandbox(jobs=1) as box:
        run(box, [item(1)])
        before = processes_of(os.getpid())
        run(box, [item(2)])
        assert processes_of(os.getpid()) == before
        run(box, [item(3, "leak@0")])
        run(box, [item(4)])
        assert len(before - processes_of(os.getpid())) == 1


def test_the_parent_may_have_threads_and_an_event_loop() -> None:
    async def main() -> int:
        stop = threading.Event()
        threads = [threading.Thread(target=stop.wait) for _ in range(20)]
        for thread in threads:
            thread.start()
        ticks = 0
        with sandbox() as box:
            work = asyncio.create_task(asyncio.to_thread(run, box, [item(t, "slow@0") for t in range(4)]))
            while not work.done():
                await asyncio.sleep(0.01)
                ticks += 1
            assert set(await work) == {0, 1, 2, 3}
        stop.set()
        for thread in threads:
            thread.join()
        return ticks

    assert asyncio.run(main()) > 10


def test_a_log_record_of_an_operator_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), sandbox() as box:
        run(box, [item(5, "log@0")])
    assert [record.getMessage() for record in caplog.records] == ["/media/5.log@0: heard you"]
    assert caplog.records[0].name == "cortex.node.deed"


def test_an_operator_that_cannot_be_opened_is_an_error() -> None:
    with sandbox(walker="deeds:Unready") as box, pytest.raises(LoomError, match="the model is not there") as error:
        run(box, [item(1)])
    assert error.value.code == "REQUIREMENT_MISSING"


def test_workers_that_die_at_start_are_an_error() -> None:
    with sandbox(walker="deeds:Stillborn") as box, pytest.raises(LoomError, match="SIGABRT") as error:
        run(box, [item(1)])
    assert error.value.code == "INTERNAL"


def test_workers_that_do_not_get_ready_are_an_error() -> None:
    limits = QUICK._replace(start_s=0.5)
    with sandbox(walker="deeds:Sleeper", limits=limits) as box, pytest.raises(LoomError, match="ready"):
        run(box, [item(1)])


def test_a_walker_that_does_not_exist_is_an_error() -> None:
    with sandbox(walker="deeds:Nobody") as box, pytest.raises(LoomError, match="Nobody"):
        run(box, [item(1)])
