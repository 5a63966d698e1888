"""What other pipelines over shared memory were found to stumble over: slow starts, many readers, few slots, odd frames,
odd names, names that are taken."""

from __future__ import annotations

import gc
import os
import weakref
from functools import partial
from pathlib import Path

import pytest
from shmtasks import check, line, note_and_poll_numbers, notes, numbers, pipeline, to

from cortex import shm

_SLOW = """
import multiprocessing, time
from shmtasks import check, note

if multiprocessing.parent_process() is not None:
    time.sleep(1)
IMPORTED_NS = time.monotonic_ns()


def slow_sink(inp, path):
    note(path, imported_ns=IMPORTED_NS)
    time.sleep(0.7)
    check(inp, path)
"""


def test_a_reader_that_is_slow_to_import_and_slow_to_begin_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shmslow.py").write_text(_SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    from shmslow import slow_sink  # type: ignore[import-not-found]

    first, slow, quick = (tmp_path / name for name in ("source", "slow", "quick"))
    with line(to(first, note_and_poll_numbers, count=500), to(slow, slow_sink), to(quick, check)) as pipe:
        pipe.run()
    imported, *seen = notes(slow)
    assert seen == notes(quick) == [{"stream": "raw", "first": 0, "last": 499, "broken": False}]
    assert notes(first)[0]["called_ns"] > imported["imported_ns"], "nobody begins before all are ready"


def test_24_readers(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with line(partial(numbers, count=300), *[to(seen, check)] * 24) as pipe:
        pipe.run()
    assert notes(seen) == [{"stream": "raw", "first": 0, "last": 299, "broken": False}] * 24


@pytest.mark.parametrize("frames", [1, 2, 8])
def test_few_slots_of_frames_whose_size_is_odd(tmp_path: Path, frames: int) -> None:
    seen = tmp_path / "seen"
    shapes = {"odd": (641, 481, 3), "tiny": (7,), "scalar": ()}
    pipe = pipeline()
    for name, shape in shapes.items():
        pipe.add_stream(name, shape=shape, dtype="u1", frames=frames)
        pipe.add_task(f"{name} source", fn=partial(numbers, count=60), writes={"out": name})
        pipe.add_task(f"{name} sink", fn=to(seen, check), reads={"inp": name})
    with pipe:
        pipe.run()
    said = sorted(notes(seen), key=lambda note: list(shapes).index(note["stream"]))
    assert said == [{"stream": name, "first": 0, "last": 59, "broken": False} for name in shapes]


def test_two_pipelines_with_the_same_names_at_once(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    first, second = (line(partial(numbers, count=count), to(seen, check)) for count in (100, 200))
    with first, second:
        first.start()
        second.start()
        first.join()
        second.join()
    assert sorted(note["last"] for note in notes(seen)) == [99, 199]


def test_a_pipeline_that_is_collected_takes_nothing_from_the_next_of_its_names(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    first = line(partial(numbers, count=100), to(seen, check))
    with first:
        first.run()
    descriptors = len(os.listdir("/proc/self/fd"))
    second = line(partial(numbers, count=200), to(seen, check))
    second.compile()
    gone = weakref.ref(first)
    del first
    gc.collect()
    assert gone() is None
    with second:
        second.run()
    assert [note["last"] for note in notes(seen)] == [99, 199]
    assert len(os.listdir("/proc/self/fd")) == descriptors


@pytest.mark.parametrize(
    "name",
    ["with spaces", "a/b/../../c", "/leading", "x" * 300, "Größe 大小 🎥", "tab\tand\nline", "nul\0", "."],
    ids=["spaces", "slashes", "leading", "long", "letters", "control", "nul", "dot"],
)
def test_names_are_anything(tmp_path: Path, name: str) -> None:
    seen = tmp_path / "seen"
    pipe = pipeline(name).add_stream(name, shape=(3,), dtype="u1").add_event(name, initial_state=True)
    pipe.add_task(name, fn=partial(numbers, count=10), writes={"out": name})
    sink = to(seen, check)
    pipe.add_task.toggleable(f"{name}!", activate_on="go", fn=sink, reads={"inp": name}, events={"go": name})
    with pipe.start_monitor(0.01):
        pipe.run()
        assert set(pipe.metrics()) == {name, f"{name}!"}
    assert notes(seen) == [{"stream": name, "first": 0, "last": 9, "broken": False}]
    again = shm.Pipeline.reconstruct(save_plain(name, tmp_path))
    assert (again.name, list(again.declaration.streams)) == (name, [name])


def save_plain(name: str, folder: Path) -> Path:
    return shm.Pipeline(name).add_stream(name, shape=(3,), dtype="u1").save(folder / "saved.toml")
