"""Those who listen to the servers of benchmarks/busserver.py: raw sockets that cost little, fast ones, slow ones and
ones that do not read at all."""

from __future__ import annotations

import array
import asyncio
import fcntl
import socket
import termios
import time
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

_HELLO = b'"hello"'
_AT_ONCE = 50


class Address(NamedTuple):
    """Where a server listens; `token` is None when it neither asks for one nor says hello."""

    host: str
    port: int
    path: str
    token: str | None

    def request(self) -> bytes:
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.host}:{self.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
        ]
        if self.token is not None:
            lines.append(f"Authorization: Bearer {self.token}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def is_ready(self, head: bytes) -> bool:
        """Whether this is all that a server says before it sends events. Raises `RuntimeError` when it refuses."""
        end = head.find(b"\r\n\r\n")
        if end < 0:
            return False
        if not head.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(head[:200].decode())
        return self.token is None or _HELLO in head[end:]


class Client(asyncio.Protocol):
    """Reads what comes and counts its bytes."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._head = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received = 0
        self.seen: Callable[[bytes], None] | None = None
        self.is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._address.request())

    def data_received(self, data: bytes) -> None:
        if self.ready.done():
            self.received += len(data)
            if self.seen is not None:
                self.seen(data)
            return
        self._head += data
        try:
            if self._address.is_ready(self._head):
                self.ready.set_result(None)
        except RuntimeError as error:
            self.ready.set_exception(error)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        if not self.ready.done():
            self.ready.set_exception(error or ConnectionError("closed before it was ready"))


async def connect_many(address: Address, count: int) -> list[Client]:
    clients: list[Client] = []
    while len(clients) < count:
        missing = min(_AT_ONCE, count - len(clients))
        clients += await asyncio.gather(*(_connect(address) for _ in range(missing)))
    return clients


async def disconnect(clients: list[Client]) -> None:
    for client in clients:
        client.transport.abort()
    while not all(client.is_closed for client in clients):
        await asyncio.sleep(0.01)


async def _connect(address: Address) -> Client:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(lambda: Client(address), address.host, address.port)
    await client.ready
    return client


class Delays:
    """How old events are when they come to a client, told from the time that stands in them (to the millisecond)."""

    def __init__(self, client: Client) -> None:
        self.found: list[float] = []
        self._rest = b""
        client.seen = self._look

    def _look(self, data: bytes) -> None:
        now = time.time()
        pieces = (self._rest + data).split(b'"run":')
        self._rest = pieces.pop()
        for piece in pieces:
            sent = piece.rpartition(b'"time":"')[2][:24].decode()
            self.found.append(now - datetime.fromisoformat(sent).timestamp())


async def open_socket(address: Address, buffer: int | None = None) -> socket.socket:
    """A connection of which nothing is read but what comes before the events. `buffer`: what its system keeps for it,
    instead of what is usual."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    if buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.setblocking(False)
    await loop.sock_connect(sock, (address.host, address.port))
    await loop.sock_sendall(sock, address.request())
    head = b""
    while not address.is_ready(head):
        head += await loop.sock_recv(sock, 512)
    return sock


async def read_slowly(sock: socket.socket, size: int, every_s: float) -> None:
    """Takes so much now and then, for as long as the connection lives."""
    loop = asyncio.get_running_loop()
    try:
        while await loop.sock_recv(sock, size):
            await asyncio.sleep(every_s)
    except ConnectionError:
        return


async def full_since(sock: socket.socket, still_s: float = 1.0) -> float:
    """Waits until nothing more comes to a socket that nobody reads; the moment (`time.monotonic`) of the last byte."""
    waiting, since = -1, time.monotonic()
    while time.monotonic() - since < still_s:
        if (now := _unread(sock)) != waiting:
            waiting, since = now, time.monotonic()
        await asyncio.sleep(0.02)
    return since


async def read_rest(sock: socket.socket) -> bytes:
    """The last 4 KiB of what comes until the server closes."""
    loop = asyncio.get_running_loop()
    tail = b""
    try:
        while data := await loop.sock_recv(sock, 65536):
            tail = (tail + data)[-4096:]
    except ConnectionError:
        pass
    return tail


def _unread(sock: socket.socket) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(sock, termios.FIONREAD, count)
    return count[0]
