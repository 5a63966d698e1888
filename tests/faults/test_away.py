"""A Loom server that goes away in the middle of an ingest: results wait on this machine until it is back."""

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deedoperator import definition
from ledgers import found, opening, report
from programs import CORTEX, Running, Server, query, tables, until

from cortex.engine.patience import room_for
from cortex.engine.spool import Told, new_spool
from loom.bus.frames import AssetFrame, NodeFrame, RunFrame
from loom.client import LoomClient

CACHES = pytest.mark.parametrize(
    "cache", ["none", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("meta-path", "xattr"))]
)
SHORT = "import cortex.app; cortex.app.FLUSH_GRACE_S = 0.5"
_FROM_SPOOL = "SELECT CAST(name AS TEXT) FROM locations WHERE CAST(name AS TEXT) IN ('lost', 'kept')"


def waiting(bench: Any) -> list[Path]:
    return list((Path(bench.env["CORTEX_META_PATH"]) / "spool").rglob("*.msg"))


def end_with_sink(bench: Any) -> None:
    """From now on the pipeline ends with a `sink.loom`."""
    document = definition(config={"gate": str(bench.gate.path)})
    document["graph"]["nodes"].append({"id": "stored", "operator": "sink.loom"})
    document["graph"]["edges"].append({"from": {"node": "deed"}, "to": {"node": "stored"}})
    bench.file.write_text(json.dumps(document))
    bench.pipeline = bench.file


def use(bench: Any, cache: str) -> None:
    bench.env["CORTEX_CACHE"] = cache
    if cache == "xattr":
        try:
            os.setxattr(bench.folder, "user.test", b"")
        except OSError:
            pytest.skip("this file system has no extended attributes")


@CACHES
def test_a_server_that_comes_back_is_told_everything(bench: Any, server: Server, cache: str) -> None:
    use(bench, cache)
    ingest = bench.start("--json")
    bench.gate.reached()
    server.stop(signal.SIGKILL)
    bench.gate.open()
    until(lambda: waiting(bench))
    server.start()
    done = ingest.wait()
    assert done.code == 0, done.err + done.out
    assert done.summary["assets"]["completed"] == 800
    assert waiting(bench) == []
    (run,) = server.get("/runs")["items"]
    assert (run["state"], run["assets"]["completed"]) == ("COMPLETED", 800)
    assert server.stop() == 0
    assert tables(server.data) == bench.undisturbed()


@pytest.mark.slow
@CACHES
def test_what_a_server_that_stays_away_was_not_told_the_next_ingest_sends(
    bench: Any, server: Server, patched: Callable[[str], tuple[str, ...]], cache: str
) -> None:
    use(bench, cache)
    ingest = bench.start("--json", command=patched(SHORT))
    bench.gate.reached()
    server.stop(signal.SIGKILL)
    bench.gate.open()
    done = ingest.wait()
    assert done.code == 5, done.err + done.out
    assert (done.error["code"], done.error["exit_code"]) == ("LOOM_UNREACHABLE", 5)
    assert waiting(bench)
    server.start()
    second = bench.run()
    assert second.code == 0, second.err + second.out
    assert second.summary["assets"]["unchanged"] == 800, "the spool was sent before the scan"
    assert waiting(bench) == []
    assert {run["state"] for run in server.get("/runs")["items"]} == {"COMPLETED"}
    assert server.stop() == 0
    assert tables(server.data) == bench.undisturbed()


@pytest.mark.slow
def test_a_sink_waits_for_a_server_that_comes_back(bench: Any, server: Server) -> None:
    end_with_sink(bench)
    ingest = bench.start("--json")
    bench.gate.reached()
    server.stop(signal.SIGKILL)
    bench.gate.open()
    until(lambda: waiting(bench))
    server.start()
    done = ingest.wait()
    assert done.code == 0, done.err + done.out
    assert done.summary["nodes"]["stored"] | {"computed": 0} == dict.fromkeys(done.summary["nodes"]["stored"], 0)
    assert done.summary["nodes"]["stored"]["computed"] == 800
    assert server.stop() == 0
    assert tables(server.data) == bench.undisturbed()


@pytest.mark.slow
def test_a_sink_does_not_complete_for_what_only_waits(
    bench: Any, server: Server, patched: Callable[[str], tuple[str, ...]]
) -> None:
    end_with_sink(bench)
    ingest = bench.start("--json", "--events", command=patched(SHORT))
    bench.gate.reached()
    server.stop(signal.SIGKILL)
    bench.gate.open()
    done = ingest.wait()
    assert done.code == 5, done.err + done.out
    ends = [event for event in done.of("event") if event.get("node") == "stored" and event["status"] != "STARTED"]
    assert len(ends) == 800
    ((stored,),) = query(server.data, "SELECT count(*) FROM assets")
    assert len([event for event in ends if event["status"] == "COMPLETED"]) <= stored < 800
    codes = {event["error"]["code"] for event in ends if event["status"] == "FAILED"}
    assert codes == {"LOOM_UNREACHABLE"}
    server.start()
    second = bench.run()
    assert second.code == 0, second.err + second.out
    assert second.summary["nodes"]["deed"]["computed"] == 0, "all else was sent from the spool"
    assert server.stop() == 0
    assert tables(server.data) == bench.undisturbed()


def test_listeners_get_the_events_of_the_time_in_which_the_server_was_away(bench: Any, server: Server) -> None:
    heard: list[Any] = []

    def listen() -> None:
        for frame in client.events():
            heard.append(frame)
            if isinstance(frame, RunFrame) and frame.status == "COMPLETED":
                return

    with LoomClient(server.url, server.token) as client:
        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        until(lambda: heard)
        ingest = bench.start("--json", "--events")
        bench.gate.reached()
        server.stop(signal.SIGKILL)
        bench.gate.open()
        until(lambda: waiting(bench))
        server.start()
        done = ingest.wait()
        assert done.code == 0, done.err + done.out
        listener.join(20)
        assert not listener.is_alive(), "the end of the run comes after all the rest"
    told = [event for event in done.of("event") if event["type"] == "asset"]
    assert len(told) == 800
    assert {str(frame.asset) for frame in heard if isinstance(frame, AssetFrame)} == {event["asset"] for event in told}
    ended = {str(f.asset) for f in heard if isinstance(f, NodeFrame) and (f.node, f.status) == ("deed", "COMPLETED")}
    assert len(ended) == 800
    times = [frame.seq for frame in heard if isinstance(frame, AssetFrame)]
    assert times == sorted(times)


@pytest.mark.slow
def test_what_the_server_refuses_for_good_holds_up_nothing_else(bench: Any, server: Server) -> None:
    bench.gate.open()
    room = room_for(Path(bench.env["CORTEX_META_PATH"]), server.url)
    dead = new_spool(room, 1_000_000)
    refused, good = opening("deeds", 7), opening("deeds", 1)
    for made, name in ((refused, "lost"), (good, "kept")):
        dead.put(Told(opening=made))
        dead.put(Told(run=made.uuid, reports=[report(name, found(b"/m/" + name.encode()))]))
    dead.close()
    done = bench.run()
    assert done.code == 0, done.err + done.out
    (note,) = [line for line in done.err.splitlines() if "NOT_FOUND" in line]
    assert str(room / "refused") in note
    assert waiting(bench) == []
    assert server.get(f"/runs/{good.uuid}")["pipeline"] == "deeds"
    assert query(server.data, _FROM_SPOOL) == [("kept",)]
    second = bench.run()
    assert (second.code, second.err) == (0, "")
    doctor = Running(CORTEX, "doctor", env=bench.env, folder=bench.place).wait().out
    (told,) = [line for line in doctor.splitlines() if "set aside" in line]
    assert "2 messages that Loom refused" in told
    assert "NOT_FOUND" in told
