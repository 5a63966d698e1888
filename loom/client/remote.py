"""A Loom server as seen from a worker or a tool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from loom.client.address import Address
from loom.client.definitions import RemoteDefinitions
from loom.client.duplicates import RemoteActions, RemoteDuplicates
from loom.client.http import Http
from loom.client.ledger import RemoteLedger
from loom.client.library import RemoteLibrary
from loom.client.listening import Listening
from loom.client.looking import RemoteAssets, RemoteRuns
from loom.client.people import RemotePeople
from loom.client.processes import RemoteProcesses
from loom.client.publishing import Publisher
from loom.client.sources import RemoteSources
from loom.client.steering import RemoteSteering
from loom.events import Event, Progress, RunHead

if TYPE_CHECKING:
    from loom.verbs import Loom, Said

TIMEOUT_S = 30.0


class LoomClient(
    RemoteDefinitions,
    RemoteLedger,
    RemoteRuns,
    RemoteSteering,
    RemoteAssets,
    RemoteSources,
    RemoteDuplicates,
    RemoteActions,
    RemoteLibrary,
    RemotePeople,
    RemoteProcesses,
):
    """Satisfies `loom.verbs.Loom` over a server at `url`. Safe for threads. What the server answers with is raised as
    the error that it was there; a server that does not answer within `timeout` seconds is `LOOM_UNREACHABLE`. Without
    a token, that of `token_file` is used on loopback. Raises `CONFIG_INVALID` for a URL that is none."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        token_file: Path | None = None,
        timeout: float = TIMEOUT_S,
    ) -> None:
        self._address = Address(url, token, token_file)
        self._timeout = timeout
        self._http = Http(self._address, timeout)
        self._publisher = Publisher(self._address, timeout)

    def publish(self, run: RunHead, events: Sequence[Event], *, said: Said | None = None) -> None:
        """Returns when Loom has numbered the events."""
        self._publisher.publish(run, events, said)

    def progress(self, run: RunHead, progress: Progress) -> None:
        """Best effort."""
        self._publisher.progress(run, progress)

    def events(
        self,
        after: int | None = None,
        *,
        pipeline: Iterable[str] = (),
        run: Iterable[str] = (),
        node: Iterable[str] = (),
        status: Iterable[str] = (),
        type: Iterable[str] = (),  # noqa: A002
        batch: int | None = None,
        idle: float | None = None,
        patience: float = 60.0,
    ) -> Listening:
        """What goes over the bus from now on, or after event number `after`; see `Listening`."""
        wanted = {"pipeline": pipeline, "run": run, "node": node, "status": status, "type": type}
        return Listening(
            self._address, self._timeout, after=after, wanted=wanted, batch=batch, idle=idle, patience=patience
        )

    def close(self) -> None:
        self._publisher.close()
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


if TYPE_CHECKING:
    _satisfies: type[Loom] = LoomClient
