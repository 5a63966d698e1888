"""Keeps one program that a user gave: starts it within limits, and leaves nothing of it behind.

This file runs as a process of its own, with the standard library alone. It gets its orders as JSON in its first
argument, and a socket by number; when the other end of that is closed, for whatever reason, the program and all that it
started are killed. What became of the program is told over the socket: `exit 0`, `signal 9` or `error 2`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
from typing import Any

_DEATH_SIGNAL, _SUBREAPER, _NO_NEW_PRIVILEGES, _SET_SECCOMP, _MODE_FILTER = 1, 36, 38, 22, 2
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_X32 = 0x40000000
_MACHINES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By machine: its number in filters, and that of the call `socket`."""

_IO_URING_SETUP = 425


def can_close_network() -> bool:
    """Whether a program can be kept from the network here."""
    return sys.platform == "linux" and os.uname().machine in _MACHINES and sys.maxsize > 2**32


def without_sockets() -> bytes:
    """A filter (`seccomp(2)`, classic BPF) that refuses new sockets, to this process and all that come of it. Pairs of
    sockets, which lead nowhere else, may be made."""
    architecture, number = _MACHINES[os.uname().machine]
    program = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_EQUAL, 0, 1, number),
        (_RETURN, 0, 0, _ERRNO | errno.EACCES),
        (_EQUAL, 0, 1, _IO_URING_SETUP),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def _close_network() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    program = without_sockets()
    code = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(_SET_SECCOMP, _MODE_FILTER, header, 0, 0):
        raise OSError(ctypes.get_errno(), "the seccomp filter was refused")


def main(orders: dict[str, Any], line: socket.socket) -> None:
    """`orders`: `command`, `folder` (where it starts, removed when the other end hangs up), `memory` and `file_size`
    (bytes; of a process, of a file), `niceness`, `network` (whether it may have it)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    told_r, told_w = os.pipe()
    keeper = os.getpid()
    program = os.fork()
    if program == 0:
        _become(orders, line, told_w, keeper)
    os.close(told_w)
    error = os.read(told_r, 16)  # empty once the program has begun
    status = _wait(program, line)
    _end_all(program)
    if status is None:
        _remove(orders["folder"])
        return
    code = os.waitstatus_to_exitcode(status)
    word = f"error {int(error)}" if error else f"exit {code}" if code >= 0 else f"signal {-code}"
    with contextlib.suppress(OSError):
        line.sendall(word.encode())


def _become(orders: dict[str, Any], line: socket.socket, told: int, keeper: int) -> None:
    try:
        os.setsid()
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != keeper:
            os._exit(1)
        line.close()
        for limit, value in (
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_DATA, orders["memory"]),
            (resource.RLIMIT_FSIZE, orders["file_size"]),
        ):
            hard = resource.getrlimit(limit)[1]
            least = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(limit, (least, least))
        os.nice(orders["niceness"])
        os.chdir(orders["folder"])
        if not orders["network"]:
            _close_network()
        os.execv(orders["command"][0], orders["command"])  # noqa: S606 - there is no shell
    except OSError as error:
        os.write(told, str(error.errno or errno.EINVAL).encode())
    finally:
        os._exit(127)


def _wait(program: int, line: socket.socket) -> int | None:
    """The status with which it ended; None when the other end hung up before."""
    wake_r, wake_w = os.pipe()
    os.set_blocking(wake_w, False)
    signal.set_wakeup_fd(wake_w)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == program:
            return status
        if pid == 0:
            ready, _, _ = select.select([wake_r, line.fileno()], [], [])
            if line.fileno() in ready:
                return None
            os.read(wake_r, 4096)


def _end_all(program: int) -> None:
    """Kills its session and whatever of it has become a child of this process since."""
    while True:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(program, signal.SIGKILL)
        for child in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    """The processes directly below this one; none where the system does not tell."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))
