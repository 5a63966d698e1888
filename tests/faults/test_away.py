"""A Loom server that goes away in the middle of an ingest: results wait on this machine until it is back."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import Server, tables, until

CACHES = pytest.mark.parametrize("cache", ["none", "meta-path", pytest.param("xattr", marks=pytest.mark.slow)])
SHORT = "import cortex.app; cortex.app.FLUSH_GRACE_S = 0.5"


def waiting(bench: Any) -> list[Path]:
    return list((Path(bench.env["CORTEX_META_PATH"]) / "spool").rglob("*.msg"))


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
    assert done.summary["assets"]["completed"] == 400
    assert waiting(bench) == []
    (run,) = server.get("/runs")["items"]
    assert (run["state"], run["assets"]["completed"]) == ("COMPLETED", 400)
    assert server.stop() == 0
    assert tables(server.data) == bench.undisturbed()


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
    assert second.summary["assets"]["unchanged"] == 400, "the spool was sent before the scan"
    assert waiting(bench) == []
    assert {run["state"] for run in server.get("/runs")["items"]} == {"COMPLETED"}
    assert server.stop() == 0
    assert tables(server.data) == bench.undisturbed()
