"""`cortex watch` as a process: files come, grow, move and go; it is told to end, its Loom goes away and is back."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from programs import Server, until
from watches import Watching


@pytest.fixture
def watching(start: Callable[..., Watching]) -> Watching:
    """A watch that has walked the library; files settle fast."""
    watching = start("--settle", 0.5)
    until(lambda: (watching.data / "loom.db").exists() and "COMPLETED" in watching.running.out)
    return watching


def test_what_comes_moves_and_goes_is_followed(watching: Watching, texts: Path) -> None:
    assert watching.states == {"one.txt": "present", "sub/two.txt": "present"}
    (texts / "new").mkdir()
    (texts / "new" / "three.txt").write_text("the third")
    watching.has("new/three.txt")
    assert watching.ask("SELECT count(*) FROM results r JOIN assets a ON a.id = r.asset")[0][0] >= 6
    (texts / "one.txt").rename(texts / "sub" / "moved.txt")
    watching.has("sub/moved.txt")
    watching.has("one.txt", "missing")
    (texts / "sub" / "two.txt").unlink()
    watching.has("sub/two.txt", "missing")
    shutil.rmtree(texts / "new")
    watching.has("new/three.txt", "missing")
    (texts / "sub" / "two.txt").write_text("the text sub/two.txt")
    watching.has("sub/two.txt")
    assert watching.ask("SELECT count(*) FROM assets") == [(3,)], "what moved or returned is nothing new"
    assert watching.stop().code == 0
    watching.running.leaves_nobody()


@pytest.mark.slow
def test_only_settled_files_are_taken(start: Callable[..., Watching], texts: Path) -> None:
    watching = start("--settle", 1)
    until(lambda: "COMPLETED" in watching.running.out)
    with (texts / "slow.txt").open("w") as slow:
        slow.write("a beginning")
        slow.flush()
        (texts / "download.part").write_text("half of it")
        ready = texts / ".upload"
        ready.write_text("written elsewhere, long ago")
        os.utime(ready, (1_700_000_000, 1_700_000_000))
        (texts / "fresh.txt").write_text("written just now")
        ready.rename(texts / "ready.txt")
        watching.has("ready.txt")
        assert not {"slow.txt", "fresh.txt"} & watching.states.keys(), "renamed into place, and so taken at once"
        watching.has("fresh.txt")
        assert "slow.txt" not in watching.states, "somebody has it open"
        slow.write(" and an end")
    watching.has("slow.txt")
    assert watching.ask("SELECT size FROM assets WHERE size = 22") == [(22,)]
    assert watching.ask("SELECT size FROM assets WHERE size = 11") == [], "it was not looked at before"
    assert "download.part" not in watching.states
    (texts / "download.part").rename(texts / "download.txt")
    watching.has("download.txt")


def test_a_burst_makes_few_rounds_and_what_means_nothing_makes_none(watching: Watching, texts: Path) -> None:
    runs = watching.runs
    for number in range(500):
        (texts / "sub" / f"{number}.txt").write_text(f"text {number}")
    until(lambda: sum(state == "present" for state in watching.states.values()) == 502)
    made = watching.runs - runs
    assert 1 <= made <= 6
    (texts / ".hidden").write_text("hidden")
    os.utime(texts / "one.txt", (1_700_000_000, 1_700_000_000))
    (texts / "last.txt").write_text("the last")
    watching.has("last.txt")
    assert watching.runs - runs <= made + 1, "no run is opened where nothing is to be done"


@pytest.mark.slow
def test_a_vanished_root_is_not_a_deletion(watching: Watching, texts: Path) -> None:
    away = texts.with_name("away")
    texts.rename(away)
    watching.has("one.txt", "unreachable")
    assert set(watching.states.values()) == {"unreachable"}
    (away / "while away.txt").write_text("while it was away")
    away.rename(texts)
    watching.has("while away.txt")
    assert set(watching.states.values()) == {"present"}
    (texts / "after.txt").write_text("it is followed again")
    watching.has("after.txt")


@pytest.mark.slow
def test_a_new_version_is_used_without_a_restart(watching: Watching, texts: Path, cortex: Callable[..., Any]) -> None:
    pulled = cortex("pipeline", "pull", "ingest", "--format", "yaml")
    assert pulled.code == 0, pulled.err
    changed = texts.parent / "ingest.yaml"
    changed.write_text(pulled.out.replace("hash.sha256", "hash.sha512"))
    assert cortex("pipeline", "push", changed).code == 0
    sha512 = "SELECT count(*) FROM results r JOIN signatures s ON s.id = r.signature WHERE s.operator = 'hash.sha512'"
    until(lambda: watching.ask(sha512) == [(2,)])
    assert "are in use than before" in watching.running.err
    (texts / "three.txt").write_text("the third")
    watching.has("three.txt")
    until(lambda: watching.ask(sha512) == [(3,)])
    changed.write_text(f"{pulled.out}\nenabled: false\n")
    assert cortex("pipeline", "push", changed).code == 0
    (texts / "four.txt").write_text("the fourth")
    until(lambda: "no pipeline is stored and enabled" in watching.running.err)
    changed.write_text(pulled.out)
    assert cortex("pipeline", "push", changed).code == 0
    watching.has("four.txt")


@pytest.mark.slow
def test_a_dry_run_tells_of_each_file_once_and_writes_nothing(
    start: Callable[..., Watching], texts: Path, tmp_path: Path
) -> None:
    watching = start("--settle", 0.5, "--dry-run", "--json")
    rounds = lambda: watching.running.out.count('"message_type":"summary"')  # noqa: E731
    until(lambda: rounds() == 1)
    (texts / "three.txt").write_text("the third")
    until(lambda: rounds() == 2)
    (texts / "one.txt").write_text("another text")
    until(lambda: rounds() == 3)
    done = watching.stop()
    told = [(line["assets"]["seen"], line["would_write"]["locations"]) for line in done.of("summary")]
    assert (done.code, told) == (0, [(2, 2), (1, 1), (1, 1)])
    assert all(line["dry_run"] and not line["runs"] for line in done.of("summary"))
    assert not watching.data.exists()
    assert not (tmp_path / "meta").exists()


@pytest.mark.slow
def test_without_loom_results_are_kept_in_the_local_cache(
    start: Callable[..., Watching], texts: Path, tmp_path: Path
) -> None:
    nodes = [{"id": "files", "operator": "source.filesystem"}, {"id": "sha256", "operator": "hash.sha256"}]
    edges = [{"from": {"node": "files"}, "to": {"node": "sha256"}}]
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"schema_version": 1, "name": "own", "graph": {"nodes": nodes, "edges": edges}}))
    arguments = ("--settle", 0.5, "--offline", "--pipeline", own, "--json")
    watching = start(*arguments)
    rounds = lambda: watching.running.out.count('"message_type":"summary"')  # noqa: E731
    until(lambda: rounds() == 1)
    (texts / "three.txt").write_text("the third")
    until(lambda: rounds() == 2)
    first = watching.stop().of("summary")
    assert [line["nodes"]["sha256"]["computed"] for line in first] == [2, 1]
    assert not watching.data.exists()
    watching = start(*arguments)
    until(lambda: rounds() == 1)
    (again,) = watching.stop().of("summary")
    assert again["nodes"]["sha256"]["cached"] == 3


@pytest.mark.slow
def test_nodes_are_computed_anew_in_the_first_walk_alone(
    start: Callable[..., Watching], cortex: Callable[..., Any], texts: Path
) -> None:
    assert cortex("ingest", texts, "-q").code == 0
    watching = start("--settle", 0.5, "--json", "--recompute", "sha256", "--rehash", "--rescan", 1)
    rounds = lambda: watching.running.out.count('"message_type":"summary"')  # noqa: E731
    until(lambda: rounds() == 1)
    (texts / "sub" / "three.txt").write_text("the third")
    until(lambda: rounds() == 2)
    done = watching.stop()
    assert [line["nodes"]["sha256"]["computed"] for line in done.of("summary")] == [2, 1]
    assert [line["bytes"] for line in done.of("summary")] == [16 + 20, 9]


@pytest.mark.slow
def test_it_waits_for_a_loom_that_is_away(
    start: Callable[..., Watching], server: Server, remote: dict[str, str], texts: Path
) -> None:
    watching = start("--settle", 0.5, data=server.data, LOOM_URL=server.url, LOOM_TOKEN=server.token)
    until(lambda: "COMPLETED" in watching.running.out)
    server.stop()
    (texts / "meanwhile.txt").write_text("nobody to be told")
    until(lambda: "LOOM_UNREACHABLE" in watching.running.err)
    assert watching.running.err.count("LOOM_UNREACHABLE") == 1
    server.start()
    watching.has("meanwhile.txt")
    assert watching.stop(signal.SIGINT).code == 0


def test_a_service_manager_is_told_when_nothing_is_lost_any_more(
    start: Callable[..., Watching], tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        watching = start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert manager.recv(100) == b"READY=1"
        watching.running.signal(signal.SIGTERM)
        assert manager.recv(100) == b"STOPPING=1"
        assert watching.running.wait(20).code == 0


@pytest.mark.slow
def test_it_says_what_it_cannot_begin_with(cortex: Callable[..., Any], texts: Path) -> None:
    for arguments, code, exit_code in [
        (("--offline",), "USAGE", 2),
        ((texts, "--events"), "USAGE", 2),
        ((texts, "--exclude-file", texts / "none"), "USAGE", 2),
        ((texts, "--pipeline", "none"), "NOT_FOUND", 1),
        ((texts, "--recompute", "none"), "no node 'none'", 2),
        ((texts, "--offline", "--serve"), "leave out --serve", 2),
        ((texts, "--dry-run", "--serve"), "loom serve", 2),
    ]:
        done = cortex("watch", *arguments)
        assert (code in done.err, done.code) == (True, exit_code), done.err


@pytest.mark.slow
def test_rounds_are_told_to_programs(start: Callable[..., Watching], texts: Path) -> None:
    watching = start("--settle", 0.5, "--json")
    until(lambda: "summary" in watching.running.out)
    (texts / "three.txt").write_text("the third")
    watching.has("three.txt")
    done = watching.stop()
    assert [line["assets"]["new"] for line in done.of("summary")] == [2, 1]


DISK = """
import os, subprocess, sys
from pathlib import Path
from programs import CORTEX, Running, environment, query, until

place = Path.cwd()
env = environment(place)
library, store = place / "library", place / "store"
library.mkdir(), store.mkdir()

def mount():
    subprocess.run(["mount", "--bind", store, library], check=True)

def states():
    return [state for state, in query(place / "data", "SELECT state FROM locations")]

subprocess.run(["mount", "-t", "tmpfs", "disk", store], check=True)
(store / "one.txt").write_text("one")
mount()
watch = Running(CORTEX, "watch", library, "--settle", 0.2, env=env, folder=place)
try:
    until(lambda: "COMPLETED" in watch.out)
    until(lambda: subprocess.run(["umount", library]).returncode == 0)
    until(lambda: states() == [2])
    (store / "two.txt").write_text("two")
    mount()
    until(lambda: states() == [0, 0])
    (library / "three.txt").write_text("three")
    until(lambda: states() == [0, 0, 0])
finally:
    watch.kill()
"""


@pytest.mark.slow
def test_a_disk_that_is_taken_away_and_comes_back(tmp_path: Path) -> None:
    namespace = ("unshare", "--user", "--map-root-user", "--mount")
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let users mount disks")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*namespace, sys.executable, "-c", DISK], cwd=tmp_path, env=env, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
