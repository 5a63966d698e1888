"""Where other programs of the same user on the same machine see how a pipeline stands.

The process that owns a pipeline listens at a Unix socket whose name lies in no folder (`man 7 unix`, abstract), so
that it is gone with the process; who connects is told once, and the line is closed. `/proc/net/unix` lists them all.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

import msgspec

from loom.processes import ProcessPipeline

_PREFIX = "loom-cortex/shm"
_PATIENCE_S = 2.0
_MOST_BYTES = 32 * 2**20


class Window:
    """Tells who asks what `look` returns, until `close`."""

    def __init__(self, name: str, look: Callable[[], ProcessPipeline]) -> None:
        self._look = look
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(f"\0{_PREFIX}/{os.getuid()}/{name}")
        self._socket.listen()
        self._thread = threading.Thread(target=self._run, name="window", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Once who asks right now was told."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with caller, suppress(OSError):
                caller.settimeout(_PATIENCE_S)
                if _uid_of(caller) in (os.getuid(), 0):
                    caller.sendall(msgspec.json.encode(self._look()))


def running_pipelines() -> list[ProcessPipeline]:
    """The pipelines of this user that run on this machine, the oldest first."""
    found = []
    for address in _addresses():
        with suppress(OSError, msgspec.MsgspecError):
            found.append(_ask(address))
    return sorted(found, key=lambda pipeline: pipeline.started)


def _addresses() -> list[str]:
    prefix = f"@{_PREFIX}/{os.getuid()}/"
    with suppress(OSError), open("/proc/net/unix", encoding="utf-8", errors="replace") as lines:
        listed = {line.split(maxsplit=7)[-1].strip() for line in lines if prefix in line}
        return sorted(f"\0{name[1:]}" for name in listed if name.startswith(prefix))
    return []


def _ask(address: str) -> ProcessPipeline:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_PATIENCE_S)
        line.connect(address)
        if _uid_of(line) != os.getuid():
            raise OSError("another user's")
        told = bytearray()
        while (piece := line.recv(1 << 16)) and len(told) < _MOST_BYTES:
            told += piece
    return msgspec.json.decode(bytes(told), type=ProcessPipeline)


def _uid_of(line: socket.socket) -> int:
    """The user at the other end."""
    _, uid, _ = struct.unpack("=iII", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(uid)
