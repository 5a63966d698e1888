"""Who one is at a server: passwords come from the machine's `.netrc`, and leave by no error text."""

from __future__ import annotations

import netrc
import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from loom.errors import LoomError

_LONGEST = 300


class Login(NamedTuple):
    """`user` is empty where nobody is named; `password` None where none is known."""

    user: str
    password: str | None


NOBODY = Login("", None)


class Server(NamedTuple):
    """What an address says: `port` is None where it does not say one, `path` begins with a slash."""

    scheme: str
    host: str
    port: int | None
    user: str
    path: bytes


def server_of(url: str) -> Server:
    """The path is taken as it stands, in the bytes of the file system's encoding."""
    parts = urlsplit(url)
    path = "/" + url.partition("://")[2].partition("/")[2]
    return Server(parts.scheme, parts.hostname or "", parts.port, unquote(parts.username or ""), os.fsencode(path))


def login_for(server: Server) -> Login:
    """The entry of the host in the file that NETRC names, `~/.netrc` by default, unless it is one of somebody else than
    the address names. Raises `CONFIG_INVALID` for a file that cannot be read."""
    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        known = netrc.netrc(path).authenticators(server.host)
    except FileNotFoundError:
        known = None
    except (OSError, netrc.NetrcParseError, UnicodeDecodeError):
        raise LoomError("CONFIG_INVALID", f"{path} cannot be read as a file of logins") from None
    if known is None or (server.user and known[0] != server.user):
        return Login(server.user, None)
    return Login(known[0], known[2])


class ServerStore:
    """What the stores of servers have in common: `root` is the address of their folder. Raises as `login_for`."""

    def __init__(self, url: str) -> None:
        self.root = os.fsencode(url.rstrip("/"))
        self._server = server_of(url.rstrip("/"))
        self._login = login_for(self._server)

    def _path_of(self, url: bytes) -> bytes:
        """Where an address at or below the root lies at the server."""
        return self._server.path.rstrip(b"/") + url[len(self.root) :] or b"/"


def said(error: BaseException, login: Login | None = None) -> str:
    """What an error says, in one line that does not hold the password."""
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if login is not None and login.password:
        text = text.replace(login.password, "…")
    return text[:_LONGEST].removesuffix(": ")


def unreachable(url: str, login: Login, error: BaseException) -> LoomError:
    """For a server that cannot be reached when it is asked first."""
    return LoomError("SOURCE_UNREACHABLE", f"{url} cannot be opened: {said(error, login)}")


def refused(url: str, login: Login) -> LoomError:
    """For a server that does not let one in, with what to do about it."""
    who = f"the login of {login.user!r}" if login.user else "whoever has no login"
    known = "with the password of the netrc file" if login.password is not None else "without a password"
    return LoomError("SOURCE_UNREACHABLE", f"{url} cannot be opened: the server refuses {who} {known}")
