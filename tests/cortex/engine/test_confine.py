import errno
import os
import platform
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sandboxes import in_child, item, run, sandbox

from cortex.engine import confine, seccomp, syscalls
from cortex.engine.limits import Limits


def refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError as error:
        return error.errno in (errno.EPERM, errno.EACCES, None)
    return False


def test_a_worker_can_neither_connect_nor_write_nor_start_anything(tmp_path: Path) -> None:
    with sandbox() as box:
        walked = run(box, [item(1, "forbidden@0")])
    assert walked[1].computed[0].error_message == "could: "


def test_reading_threads_and_standard_output_stay(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")

    def work() -> bool:
        confine.refuse_calls()
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        return (tmp_path / "file").read_bytes() == b"content" and bool(os.listdir(tmp_path))

    assert in_child(work) == 0


def test_threads_that_run_already_are_confined_too(tmp_path: Path) -> None:
    def work() -> bool:
        go, result = threading.Event(), []

        def write() -> None:
            go.wait()
            result.append(refused(lambda: (tmp_path / "file").write_bytes(b"")))

        thread = threading.Thread(target=write)
        thread.start()
        confine.refuse_calls()
        go.set()
        thread.join()
        return result == [True]

    assert in_child(work) == 0


def test_a_worker_may_signal_itself_alone() -> None:
    def work() -> bool:
        parent = os.getppid()
        confine.refuse_calls()
        os.kill(os.getpid(), 0)
        return refused(lambda: os.kill(parent, 0)) and refused(lambda: os.kill(0, 0))

    assert in_child(work) == 0


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_decides_the_same_on_every_architecture(machine: str) -> None:
    program = seccomp.build(machine, 77)
    column, architecture = seccomp._ARCHITECTURES[machine]
    allow, deny = 0x7FFF0000, 0x00050000
    assert _evaluate(program, architecture, syscalls.OPENAT[column], [0, 0, os.O_RDONLY | os.O_CLOEXEC]) == allow
    assert _evaluate(program, architecture, syscalls.OPENAT[column], [0, 0, os.O_RDWR]) == deny | errno.EACCES
    assert _evaluate(program, architecture, syscalls.CLONE[column], [0x00010F00]) == allow
    assert _evaluate(program, architecture, syscalls.CLONE[column], [signal.SIGCHLD]) == deny | errno.EPERM
    assert _evaluate(program, architecture, syscalls.KILL[column], [77]) == allow
    assert _evaluate(program, architecture, syscalls.KILL[column], [78]) == deny | errno.EPERM
    assert _evaluate(program, architecture, syscalls.IOCTL[column], [0, 0x5412]) == deny | errno.EPERM
    assert _evaluate(program, architecture, syscalls.IOCTL[column], [0, 0x5401]) == allow
    assert _evaluate(program, architecture, syscalls.PRCTL[column], [1]) == deny | errno.EPERM
    assert _evaluate(program, architecture, 0x40000000 + 1, []) == deny | errno.ENOSYS
    assert _evaluate(program, 0x40000003, 1, []) == deny | errno.EPERM
    for numbers in syscalls.REFUSED.values():
        if (number := numbers[column]) is not None:
            assert _evaluate(program, architecture, number, []) == deny | errno.EPERM
    for numbers in syscalls.ABSENT.values():
        assert _evaluate(program, architecture, numbers[column] or 0, []) == deny | errno.ENOSYS


def _evaluate(program: list[seccomp.Instruction], architecture: int, number: int, arguments: list[int]) -> int:
    """What the filter returns for a call, as the kernel would carry it out."""
    words = {0: number, 4: architecture} | {16 + 8 * i: value for i, value in enumerate(arguments)}
    position = accumulator = 0
    while True:
        code, if_true, if_false, value = program[position]
        position += 1
        if code == 0x20:
            accumulator = words.get(value, 0)
        elif code == 0x06:
            return value
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[code]
            position += if_true if holds else if_false


def test_numbers_of_calls_are_those_of_this_machine() -> None:
    """One call in each table, made for real: no such file, rather than no such call."""
    if not seccomp.is_supported():
        pytest.skip(f"numbers of system calls on {sys.platform} {platform.machine()} are not known")
    import ctypes

    column = seccomp._ARCHITECTURES[platform.machine()][0]
    libc = ctypes.CDLL(None, use_errno=True)
    for number, arguments in [
        (syscalls.OPENAT[column], (-100, b"/nonexistent/x", 0)),
        (syscalls.REFUSED["unlinkat"][column], (-100, b"/nonexistent/x", 0)),
        (syscalls.REFUSED["mkdirat"][column], (-100, b"/nonexistent/x", 0)),
        (syscalls.REFUSED["execve"][column], (b"/nonexistent/x", None, None)),
    ]:
        assert libc.syscall(ctypes.c_long(number or 0), *arguments) == -1
        assert ctypes.get_errno() == errno.ENOENT


def test_where_the_kernel_cannot_python_code_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp, "is_supported", lambda: False)
    (tmp_path / "file").write_bytes(b"content")

    def work() -> bool:
        confine.refuse_calls()
        readable = (tmp_path / "file").read_bytes() == b"content"
        writing = [lambda: (tmp_path / "new").write_bytes(b""), (tmp_path / "dir").mkdir, (tmp_path / "file").unlink]
        return readable and all(refused(attempt) for attempt in [*writing, os.fork])

    assert in_child(work) == 0
    assert os.listdir(tmp_path) == ["file"]


def test_memory_is_limited_beyond_what_is_there() -> None:
    def work() -> bool:
        kept = bytearray(64 << 20)
        confine.limit_memory(Limits(memory=128 << 20))
        bytearray(64 << 20)
        try:
            bytearray(256 << 20)
        except MemoryError:
            return len(kept) > 0
        return False

    assert in_child(work) == 0


def test_resources_are_limited_for_good(tmp_path: Path) -> None:
    def work() -> bool:
        before = os.nice(0)
        confine.limit_resources(Limits(open_files=40, niceness=3))
        files = resource.getrlimit(resource.RLIMIT_NOFILE) == (40, 40)
        return files and resource.getrlimit(resource.RLIMIT_CORE) == (0, 0) and os.nice(0) == min(before + 3, 19)

    assert in_child(work) == 0


def test_a_process_ends_with_its_parent() -> None:
    assert in_child(lambda: confine.end_with(os.getppid() + 1) or True) == 1
    assert in_child(lambda: confine.end_with(os.getppid()) or True) == 0


def test_a_limit_is_never_raised() -> None:
    def work() -> bool:
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
        confine.limit_resources(Limits(open_files=4000))
        return resource.getrlimit(resource.RLIMIT_NOFILE) == (30, 30)

    assert in_child(work) == 0
