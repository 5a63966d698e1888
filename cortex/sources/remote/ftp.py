"""Folders of servers that speak FTP, in the clear (`ftp`) or over TLS (`ftps`, by AUTH TLS)."""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cortex.sources.remote.files import Landing, Listed, UnwantedError, Version
from cortex.sources.remote.ftp_lists import facts_of, for_people, for_programs, listed_of, stamp, version_of
from cortex.sources.remote.landing import Kept, begun
from cortex.sources.remote.logins import ServerStore, refused, said, unreachable
from cortex.sources.remote.pool import Pool
from loom.errors import LoomError

CONNECT_S, READ_S = 10.0, 60.0
"""How long a server may take to let one in, and to send the next bytes."""

MOST_LINES = 4
"""So many connections at most; servers often allow few."""

_PIECE = 256 * 1024
_TEXT = "latin-1"
"""Stands for bytes as they are: names have the encoding of the server."""
_NOT_KNOWN = ("500", "501", "502", "504")
_GONE = ("no such", "not found", "not exist", "cannot find")


class FtpStore(ServerStore):
    """All at or below `ftp://user@host:port/folder`. The password comes from the netrc file; without a login one is
    `anonymous`. Raises `SOURCE_UNREACHABLE` where it cannot be opened."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._knows_facts = True
        self._resumes = True
        self._lines: Pool[ftplib.FTP] = Pool(self._enter, lambda line: line.close(), MOST_LINES)
        try:
            with self._lines.line():
                pass
        except ftplib.error_perm as error:
            raise refused(url, self._login) from error
        except (OSError, EOFError, ftplib.Error) as error:
            raise unreachable(url, self._login, error) from error

    def close(self) -> None:
        self._lines.close()

    def folder(self, url: bytes) -> Listed:
        """Raises `FILE_VANISHED` for one that is not there, `FILE_UNREADABLE`, `READ_FAILED`."""
        with self._asking() as line:
            line.cwd(_text(self._path_of(url)))
            if self._knows_facts:
                with _unless_known():
                    return listed_of(for_programs(_all_of(line, "MLSD")))
                self._knows_facts = False
            return listed_of(for_people(_all_of(line, "LIST")))

    def look(self, url: bytes) -> Version:
        with self._asking() as line:
            return self._look(line, self._path_of(url))

    def read(self, url: bytes, landing: Landing, version: Version) -> Version:
        path, first = self._path_of(url), begun(landing, version)
        with self._asking() as line:
            if not first or first != version.size:
                first = self._fetch(line, path, landing, first)
            return self._look(line, path)._replace(size=first)

    def _look(self, line: ftplib.FTP, path: bytes) -> Version:
        if self._knows_facts:
            with _unless_known():
                answer = line.sendcmd(f"MLST {_text(path)}").encode(_TEXT).split(b"\n")
                facts = facts_of(answer[1].strip().partition(b" ")[0] if len(answer) > 2 else b"")
                if facts.get(b"type", b"file").lower() != b"file":
                    raise LoomError("FILE_VANISHED")
                if (version := version_of(facts)) is not None:
                    return version
        size = line.sendcmd(f"SIZE {_text(path)}").split()[-1]
        changed = ""
        with suppress(ftplib.error_perm):
            changed = line.sendcmd(f"MDTM {_text(path)}").split()[-1]
        return Version(int(size) if size.isdigit() else None, stamp(changed.encode(_TEXT)), "")

    def _fetch(self, line: ftplib.FTP, path: bytes, landing: Landing, first: int) -> int:
        first = first if self._resumes else 0
        try:
            data = line.transfercmd(f"RETR {_text(path)}", rest=first or None)
        except ftplib.Error as error:
            if not first or not str(error).startswith(_NOT_KNOWN):
                raise
            self._resumes, first = False, 0
            data = line.transfercmd(f"RETR {_text(path)}")
        with data, Kept(landing, first) as kept:
            while piece := data.recv(_PIECE):
                kept.write(piece)
        line.voidresp()
        return kept.total

    def _enter(self) -> ftplib.FTP:
        server, login = self._server, self._login
        line = _Tls(context=ssl.create_default_context()) if server.scheme == "ftps" else ftplib.FTP()  # noqa: S321
        line.encoding = _TEXT
        try:
            line.connect(server.host, server.port or ftplib.FTP_PORT, timeout=CONNECT_S)
            line.login(login.user, login.password or "")
            if isinstance(line, _Tls):
                line.prot_p()
            with suppress(ftplib.Error):
                line.sendcmd("OPTS UTF8 ON")
            line.voidcmd("TYPE I")
        except BaseException:
            line.close()
            raise
        line.timeout = READ_S
        if line.sock is not None:
            line.sock.settimeout(READ_S)
        return line

    @contextmanager
    def _asking(self) -> Iterator[ftplib.FTP]:
        """A connection; what is raised meanwhile is raised as `LoomError`."""
        try:
            with self._lines.line() as line:
                yield line
        except (LoomError, UnwantedError):
            raise
        except ftplib.error_perm as error:
            raise self._refusal(error) from error
        except (OSError, EOFError, ValueError, ftplib.Error) as error:
            raise LoomError("READ_FAILED", f"Reading failed: {said(error, self._login)}") from error

    def _refusal(self, error: ftplib.error_perm) -> LoomError:
        """Servers say 550 of what is not there, and of what may not be read: only their words tell these apart."""
        text = said(error, self._login)
        if any(words in text.lower() for words in _GONE):
            return LoomError("FILE_VANISHED", f"It is not there any more: {text}")
        return LoomError("FILE_UNREADABLE", f"It may not be read: {text}")


class _Tls(ftplib.FTP_TLS):
    """Takes up the session of the control connection for data, which many servers demand."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        data, size = super(ftplib.FTP_TLS, self).ntransfercmd(cmd, rest)
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        return self.context.wrap_socket(data, server_hostname=self.host, session=session), size


@contextmanager
def _unless_known() -> Iterator[None]:
    """Passes over that a server does not know a command."""
    try:
        yield
    except ftplib.error_perm as error:
        if not str(error).startswith(_NOT_KNOWN):
            raise


def _all_of(line: ftplib.FTP, command: str) -> bytes:
    with line.transfercmd(command) as data:
        pieces = []
        while piece := data.recv(_PIECE):
            pieces.append(piece)
    line.voidresp()
    return b"".join(pieces)


def _text(path: bytes) -> str:
    return path.decode(_TEXT)
