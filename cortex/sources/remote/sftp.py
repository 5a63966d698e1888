"""Folders of servers that speak SFTP: all threads share one connection."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from cortex.sources.remote.files import Landing, Listed, Version
from cortex.sources.remote.landing import Kept, begun
from cortex.sources.remote.logins import ServerStore, refused, said, unreachable
from loom.errors import LoomError

if TYPE_CHECKING:
    import asyncssh

CONNECT_S, READ_S = 10.0, 60.0
"""How long a server may take to let one in, and to answer what it is asked."""

_PIECE = 512 * 1024
T = TypeVar("T")


class SftpStore(ServerStore):
    """All at or below `sftp://user@host:port/folder`. Who one is, and which key the server must have, is found as `ssh`
    does: `~/.ssh/config`, `known_hosts`, keys, agent; a password comes from the netrc file. Names are bytes. Symbolic
    links are not followed. Raises `REQUIREMENT_MISSING`, and `SOURCE_UNREACHABLE` where it cannot be opened."""

    def __init__(self, url: str) -> None:
        try:
            import asyncssh  # noqa: F401
        except ImportError as error:
            raise LoomError("REQUIREMENT_MISSING", "sftp:// needs `pip install 'loom-cortex[remote]'`") from error
        super().__init__(url)
        self._url = url
        self._lock = threading.Lock()
        self._is_closed = False
        self._line: asyncssh.SSHClientConnection | None = None
        self._sftp: asyncssh.SFTPClient | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()
        try:
            self._sftp = self._run(self._enter(), 2 * CONNECT_S)
        except Exception as error:
            self.close()
            raise self._not_opened(error) from error

    def close(self) -> None:
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._waits(self._end(), CONNECT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def folder(self, url: bytes) -> Listed:
        """Raises `FILE_VANISHED` for one that is not there, `FILE_UNREADABLE`, `READ_FAILED`."""
        sftp = self._session()
        listed = Listed([], [], [])
        for entry in self._ask(sftp, _entries(sftp, self._path_of(url))):
            name, mode = bytes(entry.filename), entry.attrs.permissions
            if name in (b".", b".."):
                continue
            if mode is None or b"/" in name:
                listed.special.append(name)
            elif stat.S_ISDIR(mode):
                listed.folders.append(name)
            elif stat.S_ISREG(mode):
                listed.files.append((name, _version(entry.attrs)))
            else:
                listed.special.append(name)
        return listed

    def look(self, url: bytes) -> Version:
        sftp = self._session()
        told = self._ask(sftp, sftp.stat(self._path_of(url)))
        if told.permissions is not None and not stat.S_ISREG(told.permissions):
            raise LoomError("FILE_VANISHED")
        return _version(told)

    def read(self, url: bytes, landing: Landing, version: Version) -> Version:
        sftp = self._session()
        file: asyncssh.SFTPClientFile = self._ask(sftp, _opened(sftp, self._path_of(url)))
        try:
            with Kept(landing, begun(landing, version)) as kept:
                while piece := self._ask(sftp, file.read(_PIECE, kept.total)):
                    kept.write(piece)
            told = self._ask(sftp, file.stat())
        finally:
            self._waits(file.close(), CONNECT_S)
        return _version(told)._replace(size=kept.total)

    def _ask(self, sftp: asyncssh.SFTPClient, work: Coroutine[Any, Any, Any]) -> Any:
        """A line that broke is replaced the next time."""
        try:
            return self._run(work, READ_S)
        except Exception as error:
            raise self._failure(sftp, error) from error

    def _session(self) -> asyncssh.SFTPClient:
        with self._lock:
            if self._is_closed:
                raise LoomError("READ_FAILED", "the ingest ends")
            if self._sftp is None:
                try:
                    self._sftp = self._run(self._enter(), 2 * CONNECT_S)
                except Exception as error:
                    raise LoomError("READ_FAILED", f"Reading failed: {said(error, self._login)}") from error
            return self._sftp

    async def _enter(self) -> asyncssh.SFTPClient:
        import asyncssh

        server, login = self._server, self._login
        options: dict[str, Any] = {"connect_timeout": CONNECT_S, "login_timeout": CONNECT_S, "keepalive_interval": 15}
        if server.port is not None:
            options["port"] = server.port
        if login.user:
            options["username"] = login.user
        if login.password is not None:
            options["password"] = login.password
        self._line = await asyncssh.connect(server.host, **options)
        return await self._line.start_sftp_client(path_encoding=None)

    async def _leave(self) -> None:
        line, self._line, self._sftp = self._line, None, None
        if line is not None:
            line.abort()
            await line.wait_closed()

    async def _end(self) -> None:
        await self._leave()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run(self, work: Coroutine[Any, Any, T], most_s: float) -> T:
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, most_s), self._loop).result()

    def _waits(self, work: Coroutine[Any, Any, Any], most_s: float) -> None:
        """For what may fail, for the line is broken."""
        try:
            self._run(work, most_s)
        except Exception:
            return

    def _not_opened(self, error: Exception) -> LoomError:
        import asyncssh

        if isinstance(error, asyncssh.PermissionDenied):
            return refused(self._url, self._login)
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            why = "its key is not the one in ~/.ssh/known_hosts, to which the first login with `ssh` adds it"
            return LoomError("SOURCE_UNREACHABLE", f"{self._url} cannot be opened: {why}")
        return unreachable(self._url, self._login, error)

    def _failure(self, sftp: asyncssh.SFTPClient, error: Exception) -> LoomError:
        import asyncssh

        if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
            return LoomError("FILE_VANISHED", "It is not there any more.")
        if isinstance(error, asyncssh.SFTPPermissionDenied):
            return LoomError("FILE_UNREADABLE", "The server does not let it be read.")
        is_lost = isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection)
        if is_lost or not isinstance(error, asyncssh.SFTPError):
            with self._lock:
                if self._sftp is sftp:
                    self._waits(self._leave(), CONNECT_S)
        return LoomError("READ_FAILED", f"Reading failed: {said(error, self._login)}")


async def _opened(sftp: asyncssh.SFTPClient, path: bytes) -> asyncssh.SFTPClientFile:
    return await sftp.open(path, "rb")


async def _entries(sftp: asyncssh.SFTPClient, path: bytes) -> list[Any]:
    return [entry async for entry in sftp.scandir(path)]


def _version(told: asyncssh.SFTPAttrs) -> Version:
    return Version(told.size, (told.mtime or 0) * 1_000_000_000 + (told.mtime_ns or 0), "")
