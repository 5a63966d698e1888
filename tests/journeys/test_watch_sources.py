"""`cortex watch` over stored sources: each with its options, followed wherever its disk is, taken up and let go."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import CORTEX, Running, age, until
from watches import Watching

Cortex = Callable[..., Any]
Watch = Callable[..., Watching]


@pytest.fixture
def watch(environment: dict[str, str], tmp_path: Path) -> Iterator[Watch]:
    """Begins a watch, of no path unless one is said."""
    started: list[Running] = []

    def begin(*arguments: object) -> Watching:
        started.append(Running(CORTEX, "watch", "--settle", 0.2, *arguments, env=environment, folder=tmp_path))
        return Watching(started[-1], Path(environment["LOOM_DATA_DIR"]), tmp_path)

    yield begin
    for running in started:
        running.kill()


@pytest.fixture
def marked(cortex: Cortex, texts: Path) -> Path:
    """The source `texts`, with a mark."""
    assert cortex("sources", "add", texts).code == 0
    assert cortex("sources", "mark", "texts").code == 0
    return texts


def shown(cortex: Cortex, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(cortex("sources", "show", name, "--json").out)
    return told


def computed(done: Any) -> list[int]:
    """In each round."""
    return [sum(counts["computed"] for counts in line["nodes"].values()) for line in done.of("summary")]


@pytest.mark.slow
def test_all_sources_are_watched_and_others_taken_up_and_let_go(
    watch: Watch, cortex: Cortex, texts: Path, tmp_path: Path
) -> None:
    for name in ("late", "texts/inner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "first.txt").write_text(f"the first of {name}")
    assert cortex("sources", "add", texts, "--exclude", "*.raw").code == 0
    assert cortex("sources", "add", texts / "inner", "--include", "*.raw").code == 0
    watching = watch()
    until(lambda: "watching 2 folders" in watching.running.err)
    watching.has("texts/one.txt")
    for name in ("one.raw", "inner/two.raw", "inner/two.txt", "two.txt"):
        (texts / name).write_text(name)
    watching.has("texts/two.txt")
    watching.has("texts/inner/two.raw")
    assert cortex("sources", "add", tmp_path / "late").code == 0
    watching.has("late/first.txt")
    (tmp_path / "late" / "second.txt").write_text("it is followed")
    watching.has("late/second.txt")
    assert cortex("sources", "remove", "texts").code == 0
    until(lambda: watching.running.err.count("watching 2 folders") == 2)
    (texts / "three.txt").write_text("nobody looks")
    (texts / "inner" / "three.raw").write_text("somebody looks")
    watching.has("texts/inner/three.raw")
    left = {"texts/one.raw", "texts/three.txt", "texts/inner/first.txt", "texts/inner/two.txt"}
    assert not left & watching.states.keys()
    assert set(watching.states.values()) == {"present"}
    assert watching.stop().code == 0


def test_a_folder_that_is_named_becomes_a_source(watch: Watch, cortex: Cortex, texts: Path) -> None:
    watching = watch(texts, "--exclude", "*.raw", "--json")
    until(lambda: '"message_type":"summary"' in watching.running.out)
    source = shown(cortex, "texts")
    assert (source["path"], source["state"], source["files"]) == (str(texts), "reachable", 2)
    assert source["options"] == {"pipeline": None, "include": [], "exclude": ["*.raw"], "hidden": False}
    assert f"{texts} is the source texts from now on: cortex sources show texts" in watching.running.err
    watching.stop()
    again = watch("--source", "texts", "--json")
    until(lambda: "watching 1 folder" in again.running.err)
    (texts / "three.txt").write_text("the third")
    again.has("texts/three.txt")
    assert "from now on" not in again.running.err


@pytest.mark.slow
def test_a_source_that_comes_back_elsewhere_is_followed_there(
    watch: Watch, cortex: Cortex, marked: Path, tmp_path: Path
) -> None:
    watching = watch("--json")
    watching.has("texts/one.txt")
    (tmp_path / "far").mkdir()
    marked.rename(tmp_path / "far" / "away")
    watching.has("texts/one.txt", "unreachable")
    until(lambda: "the source texts is not there; it is watched again once it is found" in watching.running.err)
    now = tmp_path / "there"
    (tmp_path / "far" / "away").rename(now)
    until(lambda: f"texts lay at {marked} and lies at {now} now" in watching.running.err)
    until(lambda: watching.states == {"there/one.txt": "present", "there/sub/two.txt": "present"})
    (now / "three.txt").write_text("the third")
    watching.has("there/three.txt")
    (now / "one.txt").rename(now / "sub" / "moved.txt")
    watching.has("there/sub/moved.txt")
    assert (shown(cortex, "texts")["path"], shown(cortex, "texts")["state"]) == (str(now), "reachable")
    done = watching.stop()
    new = [line["assets"]["new"] for line in done.of("summary")]
    assert (sum(new), done.err.count("\n")) == (3, 3), done.err
    assert computed(done)[0] > 0
    assert [number > 0 for number in computed(done)] == [number > 0 for number in new], "only what is new is computed"


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("texts",), ()])
def test_another_disk_at_its_place_takes_nothing_away(
    watch: Watch, cortex: Cortex, marked: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    watching = watch(*arguments)
    watching.has("texts/one.txt")
    other = tmp_path / "other"
    other.mkdir()
    (other / "stranger.txt").write_text("of another disk")
    age(other)
    (tmp_path / "far").mkdir()
    marked.rename(tmp_path / "far" / "away")
    other.rename(marked)
    watching.has("texts/one.txt", "unreachable")
    until(lambda: "watched again" in watching.running.err)
    (marked / "another.txt").write_text("of another disk, too")
    assert cortex("sources", "add", tmp_path / "far" / "away" / "sub", "--name", "sub").code == 0
    until(lambda: arguments or "far/away/sub/two.txt" in watching.states)
    assert watching.states["texts/one.txt"] == watching.states["texts/sub/two.txt"] == "unreachable"
    assert not {"texts/stranger.txt", "texts/another.txt"} & watching.states.keys()
    marked.rename(other)
    (tmp_path / "far" / "away").rename(marked)
    watching.has("texts/one.txt")
    assert watching.running.err.count("watched again") == 1 + (not arguments), "the second is sub, which went with it"


@pytest.mark.slow
def test_a_dry_run_of_all_sources_remembers_nothing(watch: Watch, cortex: Cortex, marked: Path) -> None:
    watching = watch("--dry-run", "--json")
    until(lambda: '"message_type":"summary"' in watching.running.out)
    marked.rename(marked.with_name("there"))
    until(lambda: "a dry run does not remember it" in watching.running.err)
    assert watching.stop().code == 0
    assert (shown(cortex, "texts")["path"], shown(cortex, "texts")["files"]) == (str(marked), 0)


def test_it_says_what_it_cannot_begin_with(cortex: Cortex, texts: Path) -> None:
    for arguments, said, code in [
        (("--source", "none"), "NOT_FOUND", 1),
        (("--dry-run",), "say which folders to watch", 2),
        (("--offline",), "say which folders to watch", 2),
        ((texts, "--offline", "--source", "none"), "leave out --source", 2),
    ]:
        done = cortex("watch", *arguments)
        assert (said in done.err, done.code) == (True, code), done.err


DISK = """
import os, subprocess, sys
from pathlib import Path
from programs import CORTEX, Running, environment, query, until
from watches import LOCATIONS

place = Path.cwd()
env = environment(place)
nodes = [Path("/dev", name) for name in os.listdir("/dev")]
disk = next((node for node in nodes if node.is_block_device() and node.stat().st_rdev == place.stat().st_dev), None)
if disk is None:
    sys.exit("no device node of the disk that this lies on")
(place / "by-uuid").mkdir()
(place / "by-uuid" / "some-id").symlink_to(disk)
program = f'''
from pathlib import Path
from cortex.sources.mounts import MOUNTINFO, Mounts
Mounts.__init__.__defaults__ = (MOUNTINFO, Path({str(place / "by-uuid")!r}))
from cortex.cli import main
main()
'''
cortex = (sys.executable, "-c", program)
for name in ("store", "first", "second"):
    (place / name).mkdir()
(place / "store" / "one.txt").write_text("one")

def mount(*how):
    subprocess.run(["mount", *how], check=True)

def states():
    return {os.path.relpath(path, place): state for path, state in query(place / "data", LOCATIONS)}

mount("--bind", "store", "first")
mount("-t", "tmpfs", "hides it", "store")
watch = Running(cortex, "watch", "first", "--settle", 0.2, env=env, folder=place)
try:
    until(lambda: "COMPLETED" in watch.out)
    mount("-t", "tmpfs", "another", "first")
    (place / "first" / "stranger.txt").write_text("stranger")
    until(lambda: states() == {"first/one.txt": 2})
    until(lambda: "what lies there is on another disk than the source first" in watch.err)
    subprocess.run(["umount", "--lazy", "first"], check=True)
    until(lambda: "first is back" in watch.err)
    until(lambda: states() == {"first/one.txt": 0})
    mount("--move", "first", "second")
    until(lambda: f"first lay at {place}/first and lies at {place}/second now" in watch.err)
    until(lambda: states() == {"second/one.txt": 0})
    (place / "second" / "two.txt").write_text("two")
    until(lambda: states() == {"second/one.txt": 0, "second/two.txt": 0})
    (assets,) = query(place / "data", "SELECT count(*) FROM assets")
    assert assets == (2,), assets
finally:
    watch.kill()
    sys.stderr.write(watch.err)
"""


@pytest.mark.slow
def test_a_disk_at_another_mount_point_is_followed(tmp_path: Path) -> None:
    namespace = ("unshare", "--user", "--map-root-user", "--mount")
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let users mount disks")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*namespace, sys.executable, "-c", DISK], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    if "no device node" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
