"""Tries in throw-away processes which limits this system keeps. Run as a program of its own; prints JSON."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cortex.engine import confine, seccomp
from cortex.engine.limits import Limits

_MEMORY = 64 * 1024 * 1024
_LIMITS = Limits(memory=_MEMORY, open_files=32)
_PATIENCE_S = 10.0

Trial = Callable[[], bool]


def main() -> None:
    """Prints a list of name, whether the limit is kept, and a sentence."""
    trials: list[tuple[str, Trial, str, str]] = [
        ("memory", _memory, "memory is limited", "memory cannot be limited: a hostile file may fill it"),
        ("open files", _open_files, "open files are limited", "open files cannot be limited"),
        ("real time", _real_time, "a step that takes too long is ended", "timers do not end a step that hangs"),
        ("processor time", _processor_time, "processor time is limited", "processor time cannot be limited"),
        ("core dumps", _core_dumps, "a crash leaves no core dump", "a crash may leave a core dump"),
        ("no network", _network, f"the network is out of reach{_how()}", "a hostile file could use the network"),
        ("no writing", _writing, f"nothing can be written{_how()}", "a hostile file could write"),
        ("no programs", _programs, f"no program can be started{_how()}", "a hostile file could start programs"),
        ("no orphans", _orphans, "workers end with their parent", "workers end late when their parent is killed"),
    ]
    running = [(name, good, bad, _fork(trial)) for name, trial, good, bad in trials]
    ended = [(name, good, bad, _kept(pid)) for name, good, bad, pid in running]
    json.dump([[name, kept, good if kept else bad] for name, good, bad, kept in ended], sys.stdout)


def _how() -> str:
    return " (by the kernel)" if seccomp.is_supported() else " (for Python code only)"


def _fork(trial: Trial) -> int:
    """Starts a trial in a process of its own, which exits with 0 when the limit is kept."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.signal(signal.SIGXCPU, signal.SIG_DFL)
            status = 0 if trial() else 1
        finally:
            os._exit(status)
    return pid


def _kept(pid: int) -> bool:
    """Whether the trial went well; one that hangs did not."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, MemoryError):
        return True
    return False


def _memory() -> bool:
    confine.limit_memory(_LIMITS)
    return _refused(lambda: bytearray(4 * _MEMORY))


def _open_files() -> bool:
    confine.limit_resources(_LIMITS)
    return _refused(lambda: [os.open(os.devnull, os.O_RDONLY) for _ in range(64)])


def _dies_of(number: int, prepare: Callable[[], object]) -> bool:
    """Whether a process that prepares itself so and then loops is ended by that signal."""
    me = os.getpid()
    pid = os.fork()
    if pid == 0:
        confine.end_with(me)
        prepare()
        while True:
            pass
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == -number


def _real_time() -> bool:
    return _dies_of(signal.SIGALRM, lambda: signal.setitimer(signal.ITIMER_REAL, 0.05))


def _processor_time() -> bool:
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    return _dies_of(signal.SIGXCPU, lambda: resource.setrlimit(resource.RLIMIT_CPU, (1, hard)))


def _core_dumps() -> bool:
    pid = os.fork()
    if pid == 0:
        confine.limit_resources(_LIMITS)
        os.abort()
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and not os.WCOREDUMP(status)


def _network() -> bool:
    confine.refuse_calls()
    return _refused(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close())


def _writing() -> bool:
    with tempfile.TemporaryDirectory(prefix="cortex-trial-") as folder:
        pid = os.fork()
        if pid == 0:
            confine.refuse_calls()
            refused = _refused(lambda: Path(folder, "folder").mkdir())
            os._exit(0 if refused and _refused(lambda: Path(folder, "file").write_bytes(b"")) else 1)
        _, status = os.waitpid(pid, 0)
        return status == 0 and not list(Path(folder).iterdir())


def _programs() -> bool:
    confine.refuse_calls()
    return _refused(lambda: os.execv(sys.executable, [sys.executable, "-c", "raise SystemExit(1)"]))  # noqa: S606


def _orphans() -> bool:
    """Whether a process that loops is gone soon after the one that started it: its end of a pipe closes then."""
    reading, writing = os.pipe()
    parent = os.fork()
    if parent == 0:
        me = os.getpid()
        if os.fork() == 0:
            os.close(reading)
            confine.end_with(me)
            os.write(writing, b"\0")
            while True:
                time.sleep(1)
        os.read(reading, 1)
        os._exit(0)
    os.close(writing)
    os.waitpid(parent, 0)
    return os.read(reading, 1) == b""
