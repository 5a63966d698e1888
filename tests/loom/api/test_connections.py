import re
import resource
import socket
import subprocess
import sys
import time
from contextlib import suppress

import httpx
import pytest

from loom.api.connections import MOST, Patience, room
from loom.api.server import RunningServer, bind

IMPATIENT = Patience(head=0.3, body=0.3)


async def echo(scope, receive, send):
    """Answers with the size of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    text = str(size).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(text))]})
    await send({"type": "http.response.body", "body": text})


@pytest.fixture
def serve():
    servers = []

    def start(patience=IMPATIENT, most=100):
        servers.append(RunningServer(echo, bind("127.0.0.1", 0), patience, most).start())
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def ask(server, sent=b""):
    made = socket.create_connection(("127.0.0.1", server.port), timeout=5)
    made.sendall(sent)
    return made


def answer(connection):
    """The body of the next answer; what comes before, `100 Continue`, is passed over."""
    got = b""
    while not (match := re.search(rb"content-length: (\d+)\r\n(?:.*\r\n)*\r\n(.+)", got)):
        got += connection.recv(1000)
        assert got
    assert len(match[2]) == int(match[1])
    return match[2]


def begun(server):
    """A connection whose request the server is busy with."""
    made = ask(server, HEAD[:-2] + b"Expect: 100-continue\r\n\r\n")
    assert b"100 Continue" in made.recv(1000)
    return made


def is_cut(connection):
    try:
        return connection.recv(1000) == b""
    except ConnectionResetError:
        return True
    finally:
        connection.close()


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD[:-2], HEAD, HEAD + b"12345"])
def test_who_does_not_finish_a_request_is_cut_off(serve, sent):
    began = time.monotonic()
    assert is_cut(ask(serve(), sent))
    assert 0.25 < time.monotonic() - began < 3


def test_a_head_that_drips_is_no_excuse(serve):
    connection, began = ask(serve(), b"GET / HTTP/1.1\r\n"), time.monotonic()
    with suppress(ConnectionError):
        while time.monotonic() - began < 3:
            connection.sendall(b"X-A: b\r\n")
            time.sleep(0.02)
    assert time.monotonic() - began < 2
    connection.close()


def test_the_next_request_of_a_connection_has_a_deadline_too(serve):
    with ask(serve(), HEAD + b"1234567890") as connection:
        assert answer(connection) == b"10"
        time.sleep(0.5)
        connection.sendall(HEAD + b"1234567890")
        assert answer(connection) == b"10", "to rest between requests is no fault"
        connection.sendall(b"GET / HT")
        assert is_cut(connection)


def test_a_slow_body_that_goes_on_is_waited_for(serve):
    with ask(serve(), HEAD) as connection:
        for _ in range(10):
            time.sleep(0.1)
            connection.sendall(b"x")
        assert answer(connection) == b"10"


def test_a_crowd_that_asks_for_nothing_keeps_nobody_out(serve):
    server = serve(Patience(), most=20)
    with begun(server) as busy:
        crowd = [ask(server, b"GET / HTTP/1.1\r\nX-A:") for _ in range(60)]
        for _ in range(3):
            assert httpx.post(server.url, content=b"abc", trust_env=False).text == "3"
        busy.sendall(b"1234567890")
        assert answer(busy) == b"10", "who has asked for something stays"
        assert server.connections <= 20
        assert is_cut(crowd[0])
        for connection in crowd[1:]:
            connection.close()


def test_where_all_are_busy_the_last_is_refused(serve):
    server = serve(Patience(), most=2)
    with begun(server) as one, begun(server) as other:
        assert is_cut(ask(server))
        for busy in (one, other):
            busy.sendall(b"1234567890")
            assert answer(busy) == b"10"


def test_there_is_room_for_a_thousand_listeners():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < 2048:
        pytest.skip("this process may not open so many files")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        assert 1000 < room() <= MOST
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


CROWDED = """
import resource, socket, sys, urllib.request
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
from loom.api.server import start_in_background
async def nothing(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})
with start_in_background(nothing, "127.0.0.1", 0) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


def test_with_few_files_a_crowd_does_not_use_them_up(tmp_path):
    with (tmp_path / "err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", CROWDED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        crowd = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(300)]
        for _ in range(5):
            assert httpx.get(f"http://127.0.0.1:{port}", trust_env=False).status_code == 204
        for connection in crowd:
            connection.close()
        process.stdin.close()
        process.stdout.close()
        assert process.wait(20) == 0
    assert (tmp_path / "err").read_text() == ""
