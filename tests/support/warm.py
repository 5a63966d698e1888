"""The command `cortex` without the start of an interpreter, which is most of what a small command takes: each call is a
process of its own, forked from one that has imported the program. Interpreters of their own are what `programs.Running`
starts, in tests/faults above all."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from programs import Done, environment

_MODULES = ("cortex.app", "cortex.cli.commands", "cortex.engine.ingest", "cortex.ingesting.executing",
            "cortex.operators.identity.hashing", "cortex.operators.metadata.metadata",
            "cortex.operators.pictures.thumbnails", "cortex.report.lines", "loom.local", "loom.standby",
            "sqlalchemy.dialects.sqlite")  # fmt: skip
_CODE = struct.Struct("=i")
_MOST = 1 << 17
_PATIENCE_S = 100


class WarmCortex:
    """Runs one command at a time, until `close`."""

    def __init__(self, folder: Path) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(_PATIENCE_S)
        self._line = ours
        command = [sys.executable, __file__, str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], env=environment(folder), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()

    def run(self, *arguments: object, env: Mapping[str, str], folder: Path, stdin: str | None = None) -> Done:
        asked = json.dumps([[*map(str, arguments)], dict(env), str(folder)]).encode()
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write((stdin or "").encode())
            for file in (given, out, err):
                file.seek(0)
            socket.send_fds(self._line, [asked], [given.fileno(), out.fileno(), err.fileno()])
            (code,) = _CODE.unpack(self._line.recv(_CODE.size))
            out.seek(0)
            err.seek(0)
            return Done.of_output(code, out.read().decode("utf-8", "replace"), err.read().decode("utf-8", "replace"))

    def close(self) -> None:
        self._line.close()
        self._process.wait(_PATIENCE_S)


def _serve(line: socket.socket) -> None:
    """Returns in every process that is to be a command, and ends this one when nobody calls any more."""
    while True:
        asked, streams, _, _ = socket.recv_fds(line, _MOST, 3)
        if not asked:
            sys.exit()
        child = os.fork()
        if child == 0:
            line.close()
            _become(*json.loads(asked), streams)
            return
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        line.sendall(_CODE.pack(os.waitstatus_to_exitcode(status)))


def _become(arguments: list[str], env: dict[str, str], folder: str, streams: list[int]) -> None:
    """Makes of this process what `python -m cortex` would have begun with. Its streams are those of these numbers."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    known = sys.path[1:]  # without the folder of this file
    sys.path[:] = [folder, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep)), *known]
    sys.argv = ["cortex", *arguments]


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for _name in _MODULES:
        __import__(_name)
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    from cortex.cli import main

    main()
