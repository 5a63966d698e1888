"""What a worker process gives up before it opens the first untrusted file."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from typing import Any

from cortex.engine import seccomp
from cortex.engine.limits import Limits

_SET_DEATH_SIGNAL = 1
_REFUSED_EVENTS = frozenset(
    {
        "os.chmod", "os.chown", "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.link", "os.mkdir",
        "os.posix_spawn", "os.putenv", "os.remove", "os.removexattr", "os.rename", "os.rmdir", "os.setxattr",
        "os.symlink", "os.system", "os.truncate", "os.unsetenv", "os.utime", "pty.spawn", "socket.__new__",
        "socket.bind", "socket.connect", "socket.sendto", "subprocess.Popen",
    }
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_statm: int | None = None


def end_with(parent: int) -> None:
    """Has the kernel kill this process when its parent, whose id is given, dies for whatever reason (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def limit_resources(limits: Limits, scratch: int = 0) -> None:
    """No core dumps, no growing of files beyond `scratch` bytes, few open files, and less of the processor than the
    parent."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, scratch)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    os.nice(limits.niceness)


def limit_memory(limits: Limits) -> None:
    """Limits what the process may allocate from now on. Not the address space (RLIMIT_AS): libraries map far more
    than they use."""
    _lower(resource.RLIMIT_DATA, data_bytes() + limits.memory)


def data_bytes() -> int:
    """How much the process has allocated, as RLIMIT_DATA counts it; elsewhere than on Linux its peak."""
    global _statm
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if _statm is None:
        _statm = os.open("/proc/self/statm", os.O_RDONLY)
    return int(os.pread(_statm, 200, 0).split()[5]) * resource.getpagesize()


def refuse_calls() -> bool:
    """No network, no writing, no programs: by the kernel where it can (true), else by an audit hook, which stops Python
    code but not C libraries."""
    if seccomp.is_supported():
        with contextlib.suppress(OSError):
            seccomp.confine()
            return True
    sys.addaudithook(_audit)
    return False


def _lower(which: int, value: int) -> None:
    """Lowers a limit, where the system has it; never above what is allowed already."""
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    try:
        resource.setrlimit(which, (value, value))
    except (OSError, ValueError):
        return


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _REFUSED_EVENTS:
        raise PermissionError(f"{event} is refused in a worker")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        raise PermissionError("writing is refused in a worker")
