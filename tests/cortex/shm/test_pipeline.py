from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import seedexample
import seedtasks
from programs import Running, until
from shmtasks import (
    answer,
    called,
    check,
    compare,
    drain,
    fail,
    line,
    notes,
    numbers,
    passed_on,
    pipeline,
    rest,
    signal_once,
    to,
    write_one,
)

from cortex import shm

hundred = partial(numbers, count=100)


def script(folder: Path, body: str, *arguments: object, guarded: bool = True) -> Running:
    """A program that has defined `main`, with the helpers of these tests at hand."""
    support = Path(seedtasks.__file__).parent
    text = f"import sys\nsys.path.insert(0, {str(support)!r})\nfrom shmtasks import *\n\ndef main():\n    {body}\n"
    (folder / "program.py").write_text(text + ('if __name__ == "__main__":\n    main()\n' if guarded else "main()\n"))
    return Running((sys.executable,), folder / "program.py", *arguments, env={}, folder=folder)


@pytest.mark.parametrize("options", [(), ("-O",)], ids=["plain", "-O"])
def test_the_quick_example_of_the_manual_runs(options: tuple[str, ...]) -> None:
    command = [sys.executable, *options, seedexample.__file__]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[ 0.  2.  4.  6.  8. 10. 12. 14.]\n", "")


@pytest.mark.usefixtures("quick")
def test_all_other_examples_of_the_manual_run(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    spectrum = np.fft.rfft(seedtasks.FRAME).astype(np.complex64)
    workers = {name: getattr(seedtasks, f"worker_{name}") for name in ("read", "read_into", "look", "write", "fill")}
    with pipeline("radar") as pipe:
        pipe.add_stream(
            "raw_adc",
            shape=(4096,),
            dtype=np.float32,
            frames=64,
            cache_align=True,
            min_reader_pos_refresh_interval=64,
            min_reader_pos_refresh_s=0.005,
        )
        for name in workers:
            pipe.add_stream(name, shape=(2049,), dtype=np.complex64)
        pipe.add_stream("output", shape=(8,), dtype=np.float32).add_event("flush")
        pipe.add_task("source", fn=seedtasks.source, writes={"samples": "raw_adc"})
        for name in ("read", "read_into", "look"):
            pipe.add_task(name, fn=workers[name], reads={"samples": "raw_adc"}, writes={"fft": name})
        for name in ("write", "fill"):
            pipe.add_event(f"armed for {name}")
            pipe.add_task.toggleable(
                name,
                activate_on="armed",
                fn=workers[name],
                reads={"samples": "raw_adc"},
                writes={"fft": name},
                events={"armed": f"armed for {name}"},
            )
        pipe.add_task("latest", fn=seedtasks.worker_latest, reads={"samples": "raw_adc"})
        pipe.add_task.terminator("nobody", reads={"samples": "raw_adc"})
        pipe.add_task.toggleable(
            "flush_once",
            activate_on="flush",
            fn=seedtasks.flush_buffer,
            writes={"output": "output"},
            events={"flush": "flush"},
        )
        wanted = {**dict.fromkeys(workers, spectrum), "output": np.zeros(8)}
        pipe.add_task("sink", fn=to(seen, compare, wanted=wanted), reads={name: name for name in wanted})
        pipe.start_monitor(interval_s=0.05)
        pipe.start()
        until(lambda: pipe.ring("raw_adc").stats().written == 1)
        for event in pipe.declaration.events:
            pipe.event(event).signal()
        pipe.ends_by_itself()
        pipe.join()
        assert pipe.metrics("sink") is not None
        assert set(pipe.metrics()) == set(pipe.declaration.tasks)
    assert notes(seen) == [{"stream": name, "is_right": True} for name in wanted]


@pytest.mark.usefixtures("quick")
def test_a_function_registered_by_the_decorator_runs() -> None:
    with line(hundred) as pipe:
        pipe.add_task("sink", reads={"inp": "raw"})(drain)
        pipe.run()


@pytest.mark.usefixtures("quick")
def test_run_ends_when_only_tasks_are_left_that_wait_for_events(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    pipe = pipeline().add_event("go").add_event("never").add_event("open", initial_state=True)
    pipe.add_task("source", fn=signal_once, events={"done": "go"})
    for name, event in {"called": "go", "waits": "never", "called too": "open"}.items():
        pipe.add_task.toggleable(name, activate_on="e", fn=to(calls, called), events={"e": event})
    with pipe:
        pipe.run()
    assert len(notes(calls)) == 2


@pytest.mark.usefixtures("quick")
def test_the_parent_signals_events_and_waits_for_them() -> None:
    pipe = pipeline().add_event("asked").add_event("answered")
    pipe.add_task("task", fn=answer, events={"asked": "asked", "answered": "answered"})
    asked = pipe.event("asked")
    with pipe:
        pipe.start()
        asked.signal()
        assert pipe.event("answered").wait(60)
        assert pipe.join(60)
        assert (asked.pending, pipe.event("answered").pending) == (0, 1)
        with pytest.raises(KeyError, match="unknown"):
            pipe.event("unknown")


@pytest.mark.usefixtures("quick")
def test_the_life_of_a_pipeline(tmp_path: Path) -> None:
    pipe = pipeline().add_event("asked").add_event("answered")
    pipe.add_task("task", fn=answer, events={"asked": "asked", "answered": "answered"})
    pipe.stop()
    assert pipe.join()
    with pipe as entered:
        assert entered is pipe
        pipe.compile()
        with pytest.raises(RuntimeError, match="compiled already"):
            pipe.compile()
        with pytest.raises(RuntimeError, match="compiled already"):
            pipe.add_event("late")
        pipe.start()
        with pytest.raises(RuntimeError, match="started already"):
            pipe.start()
        with pytest.raises(RuntimeError, match="started already"):
            pipe.run()
        assert not pipe.join(timeout=0)
        pipe.event("asked").signal()
        assert pipe.join()
        pipe.stop()
    pipe.close()
    assert_closed(pipe)
    sample = pipe.metrics("task")
    assert sample is not None
    assert sample.state == "ENDED"
    assert pipe.save(tmp_path / "saved.toml").exists()
    pipe.stop()
    assert pipe.join()


def assert_closed(pipe: shm.Pipeline) -> None:
    refused: list[Callable[[], Any]] = [
        lambda: pipe.add_stream("new", shape=(), dtype="u1"),
        lambda: pipe.add_event("new"),
        lambda: pipe.add_task("new", fn=rest),
        lambda: pipe.add_task.terminator("new", reads={"x": "raw"}),
        lambda: pipe.add_excused_edge("raw", "task"),
        lambda: pipe.event("asked"),
        pipe.compile,
        pipe.start,
        pipe.run,
        pipe.start_monitor,
        pipe.__enter__,
    ]
    for call in refused:
        with pytest.raises(RuntimeError, match="was closed"):
            call()


def test_closed_without_ever_being_compiled() -> None:
    pipe = shm.Pipeline("test")
    pipe.close()
    assert pipe.metrics() == {}
    assert_closed(pipe)


@pytest.mark.usefixtures("quick")
def test_join_says_nothing_of_failures_once_the_pipeline_is_closed() -> None:
    with line(hundred, fail) as pipe, pytest.raises(shm.TaskError):
        pipe.run()
    assert pipe.join()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.usefixtures("quick")
def test_both_ways_to_make_processes(method: Any, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    with shm.Pipeline("test", start_method=method) as pipe:
        pipe.add_stream("raw", shape=(3,), dtype="u1", frames=4)
        pipe.add_task("source", fn=hundred, writes={"out": "raw"})
        pipe.add_task("sink", fn=to(seen, check), reads={"inp": "raw"})
        pipe.run()
    assert notes(seen) == [{"stream": "raw", "first": 0, "last": 99, "broken": False}]


def test_a_process_cannot_be_forked_from_a_program_with_threads() -> None:
    with pytest.raises(ValueError, match="spawn or forkserver, not by 'fork'"):
        shm.Pipeline("test", start_method="fork")  # type: ignore[arg-type]


@pytest.mark.usefixtures("quick")
def test_what_was_saved_runs_again(tmp_path: Path) -> None:
    pipe = line(write_one, drain).add_stream("passed", shape=(3,), dtype="u1").add_event("go", initial_state=True)
    pipe.add_task("middle", fn=passed_on, reads={"inp": "raw"}, writes={"out": "passed"}, restarts=1)
    pipe.add_task.toggleable("sink", activate_on="go", fn=drain, reads={"inp": "passed"}, events={"go": "go"})
    path = pipe.save(tmp_path / "new folder" / "saved.toml")
    again = shm.Pipeline.reconstruct(path, allow=["shmtasks"], start_method="forkserver")
    assert again.save(tmp_path / "again.toml").read_bytes() == path.read_bytes()
    with again:
        again.run()
        assert again.ring("passed").stats().written == 1
    pipe.close()


def test_only_compile_imports_what_a_file_names_and_only_from_modules_that_are_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shmunseen.py").write_text("def work():\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "saved.toml"
    task = 'name = "task"\nfunction_module = "shmunseen"\nfunction_qualname = "work"\n'
    path.write_text(f'format_version = 1\nname = "unseen"\n\n[[tasks]]\n{task}')
    with pytest.raises(ValueError, match=r"'shmunseen'.*allowed"):
        shm.Pipeline.reconstruct(path, allow=["shmtasks"])
    with shm.Pipeline.reconstruct(path, allow=["shmunseen"]) as pipe:
        assert "shmunseen" not in sys.modules
        pipe.compile()
        assert "shmunseen" in sys.modules
    monkeypatch.delitem(sys.modules, "shmunseen")


def test_a_program_that_ends_without_closing_its_pipeline_ends(tmp_path: Path) -> None:
    body = (
        'pipe = shm.Pipeline("left").add_stream("raw", shape=(), dtype="u1")\n'
        '    pipe.add_task("rests", fn=partial(rest, path=sys.argv[1]))\n'
        '    pipe.add_task("source", fn=numbers, writes={"out": "raw"})\n'
        '    pipe.add_task("sink", fn=drain, reads={"inp": "raw"})\n'
        "    pipe.start()\n"
        "    while not notes(Path(sys.argv[1])):\n"
        "        time.sleep(0.01)\n"
    )
    running = script(tmp_path, body, tmp_path / "noted")
    done = running.wait()
    assert (done.code, done.err) == (0, "")
    running.leaves_nobody()


def test_a_program_that_is_interrupted_stops_its_tasks(tmp_path: Path) -> None:
    body = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored where this runs\n"
        '    pipe = shm.Pipeline("interrupted").add_task("rests", fn=partial(rest, path=sys.argv[1]))\n'
        "    try:\n"
        "        pipe.run()\n"
        "    except KeyboardInterrupt:\n"
        "        pipe.join()\n"
        "        raise\n"
    )
    noted = tmp_path / "noted"
    running = script(tmp_path, body, noted)
    until(lambda: notes(noted))
    running.signal(signal.SIGINT, group=True)
    done = running.wait()
    assert done.code == -signal.SIGINT
    assert done.err.endswith("KeyboardInterrupt\n")
    assert "TaskError" not in done.err
    running.leaves_nobody()


def test_a_script_that_starts_when_it_is_imported_is_told_what_it_lacks(tmp_path: Path) -> None:
    body = 'shm.Pipeline("unguarded").add_event("e").add_task("once", fn=signal_once, events={"done": "e"}).run()'
    running = script(tmp_path, body, guarded=False)
    done = running.wait()
    assert done.code == 1
    assert "if __name__ == '__main__':" in done.err
    assert "The task 'once' failed: its process ended with exit code 1 before its function was called" in done.err
    running.leaves_nobody()
