"""How much is done at a time, said on the command line while an ingest is at work."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import crowds
import pytest
from crowds import FIRST, Gates, node
from ingests import SHA256, definition
from programs import CORTEX, Done, Running, until
from sandboxes import processes_of


@pytest.fixture
def gates(tmp_path: Path) -> Iterator[Gates]:
    gates = Gates(tmp_path / "gates")
    yield gates
    gates.close()


@pytest.mark.slow
def test_limits_are_listed_set_and_lifted_each_with_where_it_is_from(cortex: Callable[..., Done]) -> None:
    assert cortex("limits").out == "no limits\n"
    assert cortex("limits", "media.thumbnail", 2).out.split() == ["media.thumbnail", "2", "Loom"]
    own = {"CORTEX_LIMITS": "media.thumbnail=1,nobodys=3"}
    rows = json.loads(cortex("limits", "--json", env=own).out)
    assert [(row["name"], row["number"], row["loom"], row["machine"], row["known"]) for row in rows] == [
        ("media.thumbnail", 1, 2, 1, True),
        ("nobodys", 3, None, 3, False),
    ]
    assert {row["origin"] for row in rows} == {"environment CORTEX_LIMITS"}
    assert cortex("limits", "media.thumbnail", "none").out == "media.thumbnail has no limit\n"
    assert cortex("limits").out == "no limits\n"


def test_what_cannot_be_limited_is_refused_with_what_may_be_meant(cortex: Callable[..., Done]) -> None:
    done = cortex("limits", "media.thumbnial", 2)
    assert (done.code, "did you mean media.thumbnail" in done.err) == (2, True)
    done = cortex("limits", "network", 0)
    assert (done.code, "from 1 on, or `none`" in done.err) == (2, True)
    done = cortex("ingest", ".", env={"CORTEX_LIMITS": "network=x"})
    assert (done.code, "CONFIG_INVALID" in done.err, "'network'" in done.err) == (2, True, True)


@pytest.mark.slow
def test_a_limit_is_changed_while_an_ingest_is_at_work(
    cortex: Callable[..., Done], environment: dict[str, str], gates: Gates, tmp_path: Path
) -> None:
    environment["PYTHONPATH"] = crowds.install(tmp_path / "site")
    folder = tmp_path / "files"
    folder.mkdir()
    for name in "abcd":
        (folder / f"{name}.txt").write_text(f"{name} is the name")
    gates.make(*"abcd")
    pipeline = tmp_path / "crowd.json"
    pipeline.write_text(json.dumps(definition("crowd", SHA256, node(gates, FIRST))))
    assert cortex("limits", "gpu", 1).code == 0
    options = "--pipeline", pipeline, "--jobs", 3, "--json", "--events"
    running = Running(CORTEX, "ingest", folder, *options, env=environment, folder=tmp_path)
    try:
        until(lambda: len(processes_of(running.process.pid)) == 4)
        until(lambda: '"STARTED"' in running.out and '"node":"first"' in running.out)  # half a second after it began
        assert len(gates.reached()) == 1
        assert cortex("limits", FIRST, 2).code == 0
        assert cortex("limits", "gpu", "none").code == 0
        until(lambda: len(gates.reached()) == 2)
        running.signal(signal.SIGINT)
        gates.open_all()
        done = running.wait()
    finally:
        running.kill()
    assert done.code == 130
    assert done.summary["assets"]["failed"] == 0
    assert done.summary["nodes"]["first"]["computed"] >= 3, "those that waited were in hand"
