"""A data folder that someone else holds, and a database that someone else has locked."""

import fcntl
import json
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from deedoperator import definition
from gates import Gate
from programs import CORTEX, Running, query, tables, until

FILES = 800
"""As many as the bench has."""

SHORT = "from loom.store.database import Database; Database.open.__func__.__kwdefaults__['busy_seconds'] = 0.3"


@contextmanager
def locked(bench: Any) -> Iterator[None]:
    """The database, locked for writing as by a program that looks after it."""
    database = sqlite3.connect(bench.data / "loom.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
    finally:
        database.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_database_that_is_locked_for_a_while_is_waited_for(bench: Any) -> None:
    ingest = bench.start("--json")
    bench.gate.reached()
    with locked(bench):
        bench.gate.open()
        held = threading.Event()
        assert not held.wait(2.0)
        assert ingest.process.poll() is None
    done = ingest.wait()
    assert done.code == 0, done.err + done.out
    assert done.err == ""
    assert tables(bench.data) == bench.undisturbed()


def test_a_database_that_stays_locked_ends_a_run_with_5(bench: Any, patched: Callable[[str], tuple[str, ...]]) -> None:
    ingest = bench.start("--json", command=patched(SHORT))
    bench.gate.reached()
    with locked(bench):
        bench.gate.open()
        done = ingest.wait()
    assert done.code == 5, done.err + done.out
    assert (done.error["code"], done.error["exit_code"]) == ("DATABASE_BUSY", 5)
    assert "locked" in done.error["message"]
    ingest.leaves_nobody()
    second = bench.run()
    assert second.code == 0, second.err
    assert tables(bench.data) == bench.undisturbed()
    assert bench.run_states()[0] == "COMPLETED"


def test_a_database_that_is_locked_from_the_start_ends_with_5(
    bench: Any, patched: Callable[[str], tuple[str, ...]]
) -> None:
    bench.gate.open()
    assert bench.run("--limit", 10).code == 0
    before = query(bench.data, "SELECT count(*) FROM runs"), tables(bench.data)
    with locked(bench):
        done = bench.start(command=patched(SHORT)).wait()
    assert done.code == 5, done.err
    assert done.err == "DATABASE_BUSY: Loom's database is locked by another process.\n"
    assert (query(bench.data, "SELECT count(*) FROM runs"), tables(bench.data)) == before


@contextmanager
def held(bench: Any, lock: str) -> Iterator[None]:
    """The data folder, held by this process, whose lock says something."""
    bench.data.mkdir(parents=True, exist_ok=True)
    with (bench.data / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(lock)
        file.flush()
        yield


@pytest.mark.slow
@pytest.mark.parametrize("says", ["4711\n\n", "4711\n127.0.0.1:{port}\n"])
def test_a_folder_whose_holder_cannot_be_reached_ends_with_6(bench: Any, says: str) -> None:
    with held(bench, says.format(port=free_port())):
        second = bench.run()
    assert second.code == 6, second.err
    assert second.error["code"] == "DATA_FOLDER_LOCKED"
    assert "4711" in second.error["message"]


def test_a_second_process_talks_to_an_ingest_that_holds_the_folder(bench: Any) -> None:
    first = bench.start("--json")
    bench.gate.reached()
    second = bench.run("--include", "00*.txt")
    assert second.code == 0, second.err + second.out
    assert second.summary["assets"]["seen"] == 10
    assert second.summary["assets"]["unchanged"] == 10, "it knows what the first has stored"
    bench.gate.open()
    done = first.wait()
    assert (done.code, done.err) == (0, "")
    first.leaves_nobody()
    assert bench.run_states() == ["COMPLETED", "COMPLETED"]
    assert tables(bench.data) == bench.undisturbed()


def waits(ingest: Running) -> bool:
    """Whether it has done what it can, and does nothing more."""
    told = [json.loads(line) for line in ingest.out.splitlines()[:-1]][-3:]
    return len(told) == 3 and all(
        one["files_done"] == told[0]["files_done"] > FILES // 2 and not one["current"] for one in told
    )


@pytest.mark.slow
def test_what_one_ingest_has_in_hand_another_waits_for(bench: Any) -> None:
    first = bench.start("--json")
    bench.gate.reached()
    second = bench.start("--json")
    until(lambda: waits(second))
    bench.gate.open()
    ended = [first.wait(), second.wait()]
    assert [one.code for one in ended] == [0, 0], [one.err for one in ended]
    for node in ("sha256", "deed"):
        assert sum(one.summary["nodes"][node]["computed"] for one in ended) == FILES, "nothing is done twice"
    assert [one.summary["assets"]["completed"] for one in ended] == [FILES, FILES]
    assert tables(bench.data) == bench.undisturbed()


@pytest.mark.slow
def test_while_it_waits_for_another_it_can_be_interrupted(bench: Any) -> None:
    first = bench.start("--json")
    bench.gate.reached()
    second = bench.start("--json")
    until(lambda: waits(second))
    second.process.send_signal(signal.SIGINT)
    assert second.wait().code == 130
    assert first.process.poll() is None


@pytest.mark.slow
def test_an_ingest_that_is_done_serves_a_second_one_to_its_end(bench: Any) -> None:
    first = bench.start("--json")
    bench.gate.reached()
    (bench.place / "more").mkdir()
    second_gate = Gate(bench.place / "second gate")
    (bench.place / "more" / "last.txt").write_text("wait for the second\n")
    bench.file.write_text(json.dumps(definition(name="more", config={"gate": str(second_gate.path)})))
    second = Running(
        CORTEX, "ingest", bench.place / "more", "--pipeline", bench.file, "--json", env=bench.env, folder=bench.place
    )
    bench.started.append(second)
    second_gate.reached()
    bench.gate.open()
    until(lambda: "Other processes still work with this Loom" in first.err)
    assert '"summary"' in first.out, "what it has to say it said before"
    second_gate.open()
    done = second.wait()
    assert done.code == 0, done.err
    assert first.wait(30).code == 0
    first.leaves_nobody()
    assert bench.run_states() == ["COMPLETED", "COMPLETED"]


@pytest.mark.slow
def test_a_second_process_talks_to_an_ingest_that_serves(bench: Any) -> None:
    bench.store_pipeline()
    first = bench.start("--json", "--serve", "--port", free_port())
    bench.gate.reached()
    until(lambda: "Loom is served at" in first.err)
    second = bench.run("--include", "00*.txt")
    assert second.code == 0, second.err + second.out
    assert second.summary["assets"]["seen"] == 10
    bench.gate.open()
    assert first.wait().code == 0
    assert bench.run_states() == ["COMPLETED", "COMPLETED"]
    assert tables(bench.data) == bench.undisturbed()


@pytest.mark.slow
def test_a_killed_ingest_that_served_leaves_the_folder_free(bench: Any) -> None:
    port = free_port()
    first = bench.start("--json", "--serve", "--port", port)
    bench.gate.reached()
    until(lambda: "Loom is served at" in first.err)
    first.signal(signal.SIGKILL)
    first.wait()
    first.leaves_nobody()
    assert f":{port}" in (bench.data / "lock").read_text(), "the address that nobody answers at any more still stands"
    bench.gate.open()
    second = bench.run("--serve", "--port", port)
    assert second.code == 0, second.err
    assert f"Loom is served at http://127.0.0.1:{port}" in second.err
    assert tables(bench.data) == bench.undisturbed()
    assert sorted(bench.run_states()) == ["COMPLETED", "FAILED"]
