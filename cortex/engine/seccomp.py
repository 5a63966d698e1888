"""Lets the kernel refuse what a worker has no business doing: sockets, writing, starting programs.

A filter in classic BPF (`seccomp(2)`), built and installed through ctypes. It needs no privileges, covers every
library in the process, cannot be taken off again and is inherited by threads. Opening for reading, memory, threads,
timers and the pipe that is already open stay as they are.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

from cortex.engine import syscalls

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CLONE_THREAD = 0x00010000
_SET_DEATH_SIGNAL = 1
_IOCTLS = (0x5412, 0x541C, 0x40086602, 0x401C5820)
"""TIOCSTI and TIOCLINUX type into a terminal; FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR change files opened for reading."""

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _MODE_FILTER, _ALL_THREADS = 38, 22, 2, 1

Instruction = tuple[int, int, int, int]


def is_supported() -> bool:
    """Whether the numbers of this system's calls are known."""
    return sys.platform == "linux" and platform.machine() in _ARCHITECTURES and sys.maxsize > 2**32


def confine() -> None:
    """Confines this process for good. Raises `OSError` when the kernel does not take the filter."""
    libc = ctypes.CDLL(None, use_errno=True)
    column, _ = _ARCHITECTURES[platform.machine()]
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in build(platform.machine(), os.getpid()))
    code = ctypes.create_string_buffer(program)
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs was refused")
    if libc.syscall(ctypes.c_long(syscalls.SECCOMP[column]), 1, _ALL_THREADS, header) == 0:
        return
    if libc.prctl(_SET_SECCOMP, _MODE_FILTER, header, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the seccomp filter was refused")


def build(machine: str, pid: int) -> list[Instruction]:
    """The filter as instructions (code, jump if true, jump if false, value) for a process with that id."""
    column, architecture = _ARCHITECTURES[machine]
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        _refuse(errno.EPERM),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _refuse(errno.ENOSYS),
    ]
    for table, error in ((syscalls.ABSENT, errno.ENOSYS), (syscalls.REFUSED, errno.EPERM)):
        for numbers in table.values():
            program += _when(numbers[column], [_refuse(error)])
    program += _when(syscalls.OPEN[column], _refuse_bits(1, _WRITING, errno.EACCES))
    program += _when(syscalls.OPENAT[column], _refuse_bits(2, _WRITING, errno.EACCES))
    program += _when(syscalls.CLONE[column], _require_bits(0, _CLONE_THREAD))
    program += _when(syscalls.KILL[column], _require_value(0, pid))
    program += _when(syscalls.TGKILL[column], _require_value(0, pid))
    program += _when(syscalls.PRCTL[column], _refuse_values(0, (_SET_DEATH_SIGNAL,)))
    program += _when(syscalls.IOCTL[column], _refuse_values(1, _IOCTLS))
    program.append((_RETURN, 0, 0, _ALLOW))
    return program


def _refuse(error: int) -> Instruction:
    return _RETURN, 0, 0, _ERRNO | error


def _when(number: int | None, then: list[Instruction]) -> list[Instruction]:
    """Runs `then`, which returns, for the call with that number."""
    return [] if number is None else [(_EQUAL, 0, len(then), number), *then]


def _argument(index: int) -> Instruction:
    return _LOAD, 0, 0, _ARGUMENTS + 8 * index


def _refuse_bits(index: int, bits: int, error: int) -> list[Instruction]:
    return [_argument(index), (_ANY_BIT, 0, 1, bits), _refuse(error), (_RETURN, 0, 0, _ALLOW)]


def _require_bits(index: int, bits: int) -> list[Instruction]:
    return [_argument(index), (_ANY_BIT, 1, 0, bits), _refuse(errno.EPERM), (_RETURN, 0, 0, _ALLOW)]


def _require_value(index: int, value: int) -> list[Instruction]:
    return [_argument(index), (_EQUAL, 1, 0, value), _refuse(errno.EPERM), (_RETURN, 0, 0, _ALLOW)]


def _refuse_values(index: int, values: tuple[int, ...]) -> list[Instruction]:
    checks = [instruction for value in values for instruction in ((_EQUAL, 0, 1, value), _refuse(errno.EPERM))]
    return [_argument(index), *checks, (_RETURN, 0, 0, _ALLOW)]
