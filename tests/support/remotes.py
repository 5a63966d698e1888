"""Real servers on loopback over a folder of this machine: SFTP (asyncssh), FTP (pyftpdlib) and WebDAV (wsgidav). Each
tells which files were `read`, knows the user `anna` with PASSWORD, and cuts connections in the middle of a file."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import asyncssh
import pytest
from certificates import self_signed

USER, PASSWORD = "anna", "very-secret-4711"
PIECE = 64 * 1024


def home_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a user whose netrc file knows the password, and who has no other keys."""
    home = folder / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    say(home, PASSWORD)
    return home


class Remote:
    """`folder` is what is served, at `url`. `cuts`: so many bytes are sent of a file of this name before the connection
    is cut, once for each number in the list."""

    url: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.read: list[str] = []
        self.listed = 0
        self.sent = 0
        self.cuts: dict[str, list[int]] = {}

    def cut_of(self, name: str) -> int | None:
        waiting = self.cuts.get(name)
        return waiting.pop(0) if waiting else None

    def close(self) -> None: ...


class SftpRemote(Remote):
    def __init__(self, folder: Path, home: Path) -> None:
        """Makes the server known in `home`, as a first login with `ssh` does."""
        super().__init__(folder)
        self.lines: list[asyncssh.SSHServerConnection] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        key = asyncssh.generate_private_key("ssh-ed25519")
        self._server = self._run(self._listen(key))
        port = self._server.get_port()
        (home / ".ssh").mkdir(parents=True, exist_ok=True)
        public = key.export_public_key().decode().strip()
        (home / ".ssh/known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n")
        self.url = f"sftp://{USER}@127.0.0.1:{port}"

    async def _listen(self, key: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[key],
            server_factory=lambda: _SshServer(self.lines),
            sftp_factory=lambda channel: _SftpServer(self, channel),
        )

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _end(self) -> None:
        self._server.close()
        for line in self.lines:
            line.abort()
            await line.wait_closed()
        await self._server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def close(self) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _SshServer(asyncssh.SSHServer):
    def __init__(self, lines: list[asyncssh.SSHServerConnection]) -> None:
        self._lines = lines

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._lines.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


class _SftpServer(asyncssh.SFTPServer):
    def __init__(self, served: SftpRemote, channel: asyncssh.SSHServerChannel) -> None:
        super().__init__(channel, chroot=os.fsencode(served.folder))
        self._served = served
        self._cuts: dict[int, int] = {}

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        name = os.fsdecode(os.path.basename(path))
        self._served.read.append(name)
        file = super().open(path, pflags, attrs)
        cut = self._served.cut_of(name)
        if cut is not None:
            self._cuts[id(file)] = cut
        return file

    def scandir(self, path: bytes) -> Any:
        self._served.listed += 1
        return super().scandir(path)

    def read(self, file_obj: Any, offset: int, size: int) -> Any:
        left = self._cuts.get(id(file_obj))
        if left is not None and offset >= left:
            self.connection.abort()
            raise asyncssh.SFTPFailure("cut")
        data = super().read(file_obj, offset, size)
        self._served.sent += len(data)  # type: ignore[arg-type]
        return data


class FtpRemote(Remote):
    def __init__(self, folder: Path, *, facts: bool = True, certificate: Path | None = None, most: int = 100) -> None:
        """`facts`: it knows MLSD and MLST. With a `certificate` logins have to be over TLS. `most` connections at a
        time."""
        super().__init__(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it imports what Python will not have any more
            from pyftpdlib.authorizers import DummyAuthorizer
            from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_FTPHandler
            from pyftpdlib.ioloop import IOLoop
            from pyftpdlib.servers import FTPServer
        logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
        served = self
        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, PASSWORD, str(folder), perm="elr")
        plain: Any = FTPHandler if certificate is None else TLS_FTPHandler
        channel: Any = DTPHandler if certificate is None else TLS_FTPHandler.dtp_handler

        class Data(channel):  # type: ignore[misc]
            left: int | None = None

            def send(self, data: bytes) -> int:
                if self.left is not None and self.left <= 0:
                    self.cmd_channel.close()
                    return 0
                sent = int(super().send(data if self.left is None else data[: self.left]))
                served.sent += sent
                self.left = None if self.left is None else self.left - sent
                return sent

        class Handler(plain):  # type: ignore[misc]
            def ftp_RETR(self, file: str) -> Any:
                name = os.path.basename(file)
                served.read.append(name)
                Data.left = served.cut_of(name)
                return super().ftp_RETR(file)

            def ftp_MLSD(self, path: str) -> Any:
                served.listed += 1
                Data.left = None
                return super().ftp_MLSD(path)

            def ftp_LIST(self, path: str) -> Any:
                Data.left = None
                return super().ftp_LIST(path)

        Handler.authorizer, Handler.dtp_handler, Handler.use_sendfile = authorizer, Data, False
        Handler.auth_failed_timeout = 0
        if not facts:
            known = plain.proto_cmds.items()
            Handler.proto_cmds = {name: more for name, more in known if name not in ("MLSD", "MLST")}
        if certificate is not None:
            Handler.certfile, Handler.tls_control_required = str(certificate), True
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), Handler, ioloop=self._loop)
        self._server.max_cons = most
        port = self._server.address[1]
        self.url = f"ftp{'s' if certificate is not None else ''}://{USER}@127.0.0.1:{port}"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            self._server.serve_forever(timeout=0.01, blocking=False)
        self._server.close_all()
        self._loop.close()

    def close(self) -> None:
        self._over.set()
        self._thread.join()


def say(home: Path, password: str) -> None:
    """Writes the netrc file."""
    (home / ".netrc").write_text(f"machine 127.0.0.1 login {USER} password {password}\n")
    (home / ".netrc").chmod(0o600)


def served_as(kind: str, folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    match kind:
        case "sftp":
            return SftpRemote(folder, home)
        case "dav":
            return DavRemote(folder)
        case "ftps":
            certificate = self_signed(home / "certificate.pem")
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            return FtpRemote(folder, certificate=certificate)
        case _:
            return FtpRemote(folder, facts=kind == "ftp")


class _Threading(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None: ...


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None: ...


class DavRemote(Remote):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        from wsgidav.wsgidav_app import WsgiDAVApp

        self._app = WsgiDAVApp(
            {
                "provider_mapping": {"/": str(folder)},
                "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
                "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
                "verbose": 0,
                "logging": {"enable": False},
                "property_manager": None,
                "lock_storage": None,
            }
        )
        self._http = make_server("127.0.0.1", 0, self._answer, server_class=_Threading, handler_class=_Silent)
        self.url = f"webdav://{USER}@127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        name = os.path.basename(environ["PATH_INFO"]).encode("latin-1").decode("utf-8", "surrogateescape")
        if environ["REQUEST_METHOD"] == "PROPFIND" and environ.get("HTTP_DEPTH") == "1":
            self.listed += 1
        pieces = self._app(environ, start)
        if environ["REQUEST_METHOD"] != "GET":
            return pieces  # type: ignore[no-any-return]
        self.read.append(name)
        return self._cut(pieces, self.cut_of(name))

    def _cut(self, pieces: Any, left: int | None) -> Iterator[bytes]:
        try:
            for piece in pieces:
                for first in range(0, len(piece), PIECE):
                    part = piece[first : first + PIECE]
                    if left is not None and left < len(part):
                        raise ConnectionAbortedError
                    left = None if left is None else left - len(part)
                    self.sent += len(part)
                    yield part
        finally:
            if hasattr(pieces, "close"):
                pieces.close()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
