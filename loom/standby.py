"""A Loom that is served once someone calls: until then it costs a socket and a thread that waits at it."""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from loom.errors import LoomError
from loom.local import Local
from loom.settings import LoomSettings

if TYPE_CHECKING:
    from loom.api.server import RunningServer

_LOOK_S = 0.05
_BACKLOG = 128


class Standby:
    """Listens on a port of the loopback that nobody has chosen, and writes it into the lock of the data folder, so that
    other processes on this folder find the one that holds it. The API is imported and started with the first
    connection, and answers that as well. A context manager. Raises `OSError` where nothing can be listened on."""

    def __init__(self, local: Local, settings: LoomSettings) -> None:
        if local.folder is None:
            raise LoomError("INTERNAL", "A Loom that was opened to be looked at cannot be served.")
        self._local = local
        self._settings = settings
        self._folder = local.folder
        self._folder.token()  # who calls has read it before there is an answer
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self._end, self._ended = socket.socketpair()
        self._called = False
        self._server: RunningServer | None = None
        self._thread = threading.Thread(target=self._wait, name="standby", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        host, port = self._listening.getsockname()
        self._folder.set_address(f"{host}:{port}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.set_address(None)
        self._end.close()
        self._thread.join()
        self._ended.close()
        self._listening.close()

    @property
    def has_callers(self) -> bool:
        """Whether someone is connected, or was and is not answered yet."""
        return self._called and (self._server is None or self._server.connections > 0)

    def linger(self, seconds: float) -> None:
        """Returns once nobody is connected any more, at the latest after so many seconds."""
        end = time.monotonic() + seconds
        while self.has_callers and time.monotonic() < end:
            time.sleep(_LOOK_S)

    def _wait(self) -> None:
        """Serves from the first call until the end."""
        ready, _, _ = select.select([self._listening, self._ended], [], [])
        if self._ended in ready:
            return
        self._called = True
        from loom.serving import serve_on

        with ExitStack() as stack:
            self._server = stack.enter_context(serve_on(self._local, self._settings, self._listening))
            select.select([self._ended], [], [])
