"""Where Loom comes from: a server, this process that holds the data folder, or the one that holds it already.

With `cortex.app` the only module that knows more of `loom` than its verbs: it may put an embedded Loom into this
process.
"""

from __future__ import annotations

import contextlib
import platform
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from cortex.settings import CortexSettings
from loom.errors import LoomError
from loom.settings import LoomSettings

if TYPE_CHECKING:
    from loom.bus.hub import Hub
    from loom.local import Local
    from loom.standby import Standby
    from loom.store.datafolder import DataFolderLocked
    from loom.verbs import Loom

HOLDER_WAIT_S = 3.0
"""How long one waits for who holds the data folder to let go of it, or to say where it answers."""

LINGER_S = 600.0
"""How long an ingest that is done goes on serving Loom to other processes that work with it."""

_LOOK_S = 0.05


class Opened(NamedTuple):
    """A Loom at hand. `hub` is the bus that can be listened to in this process; `local` is what there is of Loom when
    it lives here, `url` where it is when it does not. `spooled_as` names what waits for it on this machine."""

    loom: Loom
    hub: Hub
    local: Local | None = None
    url: str | None = None
    spooled_as: str = ""


@contextlib.contextmanager
def connect(url: str | None = None, *, write: bool = False) -> Iterator[Loom]:
    """Loom for a command: the server at `url` (or the one that is set), else the embedded one."""
    with open_loom(url, hold=write) as opened:
        yield opened.loom


@contextlib.contextmanager
def open_loom(url: str | None = None, *, hold: bool = True, trace: bool = True) -> Iterator[Opened]:
    """Opens Loom. `hold`: this process will write, so no other may hold the data folder; one that does is talked to if
    it can be reached. Without `trace` not a byte is written. Raises `DATA_FOLDER_LOCKED`, `LOOM_UNREACHABLE` and what
    the database has to say."""
    settings = CortexSettings.load({"loom_url": url})
    with contextlib.ExitStack() as stack:
        if settings.loom_url is not None:
            yield stack.enter_context(_remote(settings.loom_url, settings.loom_token, settings.loom_url))
        elif hold and trace:
            yield _held(stack, settings)
        else:
            from loom.local import look_at_loom

            local = stack.enter_context(look_at_loom(LoomSettings.load({}), trace=trace))
            yield Opened(local.loom, local.hub, local)


def _held(stack: contextlib.ExitStack, settings: CortexSettings) -> Opened:
    """The embedded Loom, or the one of the process that holds its folder. One that is just beginning, ending or about
    some short work is waited for."""
    from loom.local import hold_loom
    from loom.store.datafolder import DataFolderLocked

    ours = LoomSettings.load({})
    name = str(ours.data_dir)
    end = time.monotonic() + HOLDER_WAIT_S
    while True:
        try:
            local = stack.enter_context(hold_loom(ours))
        except DataFolderLocked as error:
            there = _of_holder(stack, error, name)
            if there is not None:
                return there
            if time.monotonic() > end:
                raise
        else:
            opened = Opened(local.loom, local.hub, local, spooled_as=name)
            _deliver(opened, settings)
            local.loom.end_abandoned_runs(platform.node())
            return opened
        time.sleep(_LOOK_S)


def _of_holder(stack: contextlib.ExitStack, locked: DataFolderLocked, name: str) -> Opened | None:
    """The Loom of another process; None when it says no address or does not answer there. Raises `DATA_FOLDER_LOCKED`
    when it takes another token."""
    if locked.address is None:
        return None
    with contextlib.ExitStack() as trial:
        there = trial.enter_context(_remote(f"http://{locked.address}", None, name))
        try:
            there.loom.pipelines(limit=1)
        except LoomError as error:
            if error.code == "UNAUTHORIZED":
                raise locked.with_another_token() from error
            if error.code != "LOOM_UNREACHABLE":
                raise
            return None
        stack.push(trial.pop_all())
    return there


def _deliver(opened: Opened, settings: CortexSettings) -> None:
    """Stores what others could not tell a process that held the folder before."""
    from cortex.engine.patience import patience_with, room_for
    from cortex.engine.refused import REFUSED
    from loom.ending import say

    room = room_for(settings.meta_path, opened.spooled_as)
    if room.is_dir() and any(path.name != REFUSED for path in room.iterdir()):
        with patience_with(opened.loom, room, settings.spool_limit, say, 0.0):
            return


@contextlib.contextmanager
def _remote(url: str, token: str | None, name: str) -> Iterator[Opened]:
    from loom.bus.hub import Hub
    from loom.client import LoomClient

    settings = LoomSettings.load({})
    client = LoomClient(url, token or settings.token, token_file=settings.data_dir / "token")
    try:
        yield Opened(client, Hub(), url=url, spooled_as=name)
    finally:
        client.close()


@contextlib.contextmanager
def serving_loom(url: str | None = None) -> Iterator[Loom | None]:
    """The server at `url` (or the one that is set), else the process that holds the data folder and serves; None where
    there is none. Whether it answers is seen when it is asked something."""
    from loom.store.datafolder import holder_of

    settings, ours = CortexSettings.load({"loom_url": url}), LoomSettings.load({})
    address = settings.loom_url
    if address is None and (there := holder_of(ours.data_dir).address) is not None:
        address = f"http://{there}"
    if address is None:
        yield None
    else:
        with _remote(address, settings.loom_token, address) as opened:
            yield opened.loom


def serve(stack: contextlib.ExitStack, opened: Opened, *, host: str | None, port: int | None) -> str:
    """Serves the embedded Loom as long as the stack lasts; the address. Raises `USAGE` for one that is elsewhere."""
    from loom.serving import serve_in_background

    if opened.local is None:
        raise LoomError("USAGE", "--serve is for the embedded Loom; this one is served already")
    settings = LoomSettings.load({"host": host, "port": port})
    return stack.enter_context(serve_in_background(opened.local, settings))


def stand_by(stack: contextlib.ExitStack, opened: Opened) -> Standby | None:
    """Lets other processes on the data folder work with the Loom that this one holds, as long as the stack lasts; None
    where none is held or nothing can be listened on."""
    if opened.local is None or opened.local.folder is None:
        return None
    from loom.standby import Standby

    with contextlib.suppress(OSError):
        return stack.enter_context(Standby(opened.local, LoomSettings.load({})))
    return None


def linger(standby: Standby | None, note: Callable[[str], None]) -> None:
    """Goes on for the sake of others that work with the Loom of this process; Ctrl-C ends it, for all that is to be
    done here is."""
    if standby is None or not standby.has_callers:
        return
    note(
        "Done. Other processes still work with this Loom: it is there for them for at most"
        f" {LINGER_S / 60:.0f} more minutes; Ctrl-C ends it now"
    )
    with contextlib.suppress(KeyboardInterrupt):
        standby.linger(LINGER_S)
