"""A watch that is told to end while it has files in hand."""

import signal
from typing import Any

import pytest
from programs import CORTEX, Running, query, until


@pytest.fixture
def watch(bench: Any) -> Any:
    def start(*more: object) -> Running:
        command = ("watch", bench.folder, "--pipeline", bench.pipeline, *more)
        running = Running(CORTEX, *command, env=bench.env, folder=bench.place)
        bench.started.append(running)
        bench.gate.reached()
        return running

    return start


def test_what_is_in_hand_is_finished(bench: Any, watch: Any) -> None:
    running = watch()
    running.signal(signal.SIGTERM)
    bench.gate.open()
    done = running.wait(20)
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    running.leaves_nobody()
    ((kept,),) = query(bench.data, "SELECT count(*) FROM locations")
    assert 0 < kept < 800
    assert bench.run_states() == ["CANCELLED"]
    assert bench.run().summary["assets"]["unchanged"] == kept


@pytest.mark.slow
@pytest.mark.parametrize("twice", [False, True], ids=["grace", "twice"])
def test_what_is_not_finished_in_time_is_left(bench: Any, watch: Any, twice: bool) -> None:
    running = watch("--grace", 60 if twice else 0.5)
    running.signal(signal.SIGTERM)
    if twice:
        until(lambda: bench.run_states() == ["RUNNING"])
        running.signal(signal.SIGTERM)
    done = running.wait(15)
    assert done.code == 130, done.err
    running.leaves_nobody()
