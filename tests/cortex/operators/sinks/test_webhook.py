from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler

import pytest
from ingests import carry_out, definition, loom_in
from postserver import PostServer
from pydantic import ValidationError

from cortex.operators.metadata.metadata import Metadata
from cortex.operators.sinks.webhook import Webhook, pause_of, secret_of
from cortex.testing import run_operator
from loom.errors import LoomError


class Hook(PostServer):
    """Answers 204 when it has nothing else to do."""

    usual = 204

    def note(self, path: str, headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
        return headers, body

    def do(self, handler: BaseHTTPRequestHandler, deed: object) -> None:
        if deed == "silence":
            self.ended.wait(60)
        elif deed == "broken":
            handler.wfile.write(b"HTTP/9 what\r\n\r\n")
        elif deed != "nothing":
            status, headers = deed if isinstance(deed, tuple) else (deed, {})
            handler.send_response(status)
            for name, value in {**headers, "content-length": "0"}.items():
                handler.send_header(name, value)
            handler.end_headers()


@pytest.fixture
def server(no_proxy) -> Iterator[Hook]:
    with closing(Hook("/hook")) as server:
        yield server


@pytest.fixture(autouse=True)
def pauses(monkeypatch) -> list[float]:
    """How long it would have waited, without waiting."""
    slept: list[float] = []
    monkeypatch.setattr("cortex.operators.sinks.webhook.sleep", slept.append)
    return slept


def test_it_tells_of_real_and_broken_files(server, real_image, real_video, broken_files):
    node = Webhook(id="tell", url=server.url, values=["metadata.width", "metadata.raw"])
    assert node.named_nodes() == ("metadata",)
    for path in (real_image, real_video):
        run_operator(node, path, upstream={"metadata": run_operator(Metadata(), path).outputs})
    for path in broken_files:
        run_operator(node, path)
    told = [json.loads(body) for _, body in server.heard]
    assert [one["values"]["metadata.width"] for one in told] == [640, 1280, None, None, None]
    assert [one["path"] for one in told[:2]] == [str(real_image), str(real_video)]
    assert told[0].keys() == {"type", "node", "asset", "blake3", "size", "mime", "kind", "values", "path"}
    assert (told[1]["node"], told[1]["mime"], told[1]["kind"]) == ("tell", "video/mp4", "video")


@pytest.mark.parametrize("secret", ["a plain text", "whsec_" + base64.b64encode(b"\0bytes\xff").decode()])
def test_it_is_signed(server, real_image, monkeypatch, secret):
    monkeypatch.setenv("HOOK_SECRET", secret)
    run_operator(Webhook(url=server.url, secret_env="HOOK_SECRET"), real_image)
    ((headers, body),) = server.heard
    key = b"\0bytes\xff" if secret.startswith("whsec_") else secret.encode()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 600


def test_without_a_secret_nothing_is_signed(server, real_image):
    run_operator(Webhook(url=server.url), real_image)
    assert "webhook-signature" not in server.heard[0][0]


@pytest.mark.parametrize("value", [None, "", "whsec_not base64!"])
def test_a_secret_that_is_not_to_be_had(server, real_image, monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("HOOK_SECRET", value)
    with pytest.raises(LoomError, match="HOOK_SECRET") as error:
        run_operator(Webhook(url=server.url, secret_env="HOOK_SECRET"), real_image)
    assert (error.value.code, server.heard) == ("REQUIREMENT_MISSING", [])
    assert not value or value not in error.value.message


def test_a_repeat_has_the_same_id(server, real_image, real_audio, tmp_path):
    copy = tmp_path / "copy"
    copy.write_bytes(real_image.read_bytes())
    node = Webhook(id="tell", url=server.url, values=["m.title"])
    ids = [
        run_operator(node, path, upstream={"m": {"title": title}}).outputs["id"]
        for path, title in ((real_image, "a"), (copy, "a"), (real_image, "b"), (real_audio, "a"))
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert [headers["idempotency-key"] for headers, _ in server.heard] == ids
    assert [headers["webhook-id"] for headers, _ in server.heard] == ids


@pytest.mark.parametrize("deed", [429, 500, 502, 503, 504, 408, "broken", "nothing"])
def test_what_may_pass_is_tried_again(server, real_image, pauses, deed):
    server.deeds = [deed, deed]
    assert run_operator(Webhook(url=server.url), real_image).outputs.items() >= {"status": 204, "attempts": 3}.items()
    assert pauses == [0.5, 1.0]
    assert len({headers["webhook-id"] for headers, _ in server.heard}) == 1


def test_a_server_that_says_when_is_asked_then(server, real_image, pauses):
    server.deeds = [(429, {"retry-after": "7"}), (503, {"retry-after": "0"}), (503, {"retry-after": "soon"})]
    run_operator(Webhook(url=server.url), real_image)
    assert pauses == [7.0, 0.0, 2.0]


def test_a_server_that_is_silent(server, real_image):
    server.deeds = ["silence"]
    found = run_operator(Webhook(url=server.url, wait_s=0.3, attempts=20), real_image)
    assert found.outputs["attempts"] >= 2


def test_it_gives_up(server, real_image, pauses):
    server.deeds = [500] * 9
    with pytest.raises(LoomError, match="HTTP 500, attempt 3") as error:
        run_operator(Webhook(url=server.url, attempts=3), real_image)
    assert (error.value.code, error.value.retryable, len(server.heard)) == ("EFFECT_FAILED", True, 3)


def test_it_does_not_wait_longer_than_it_may(server, real_image, pauses):
    server.deeds = [(429, {"retry-after": "29"})] * 9
    with pytest.raises(LoomError, match="attempt 1"):
        run_operator(Webhook(url=server.url, within_s=20), real_image)
    assert pauses == []


@pytest.mark.parametrize("deed", [400, 401, 404, 410, (302, {"location": "/elsewhere"})])
def test_what_will_not_pass_is_not_tried_again(server, real_image, deed):
    server.deeds = [deed]
    with pytest.raises(LoomError) as error:
        run_operator(Webhook(url=server.url), real_image)
    assert (error.value.code, len(server.heard)) == ("EFFECT_FAILED", 1)


def test_nobody_is_there(real_image, pauses):
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(LoomError, match=r"ConnectError.*attempt 2") as error:
        run_operator(Webhook(url=url, attempts=2), real_image)
    assert error.value.code == "EFFECT_FAILED"


def test_a_dry_run_tells_nobody(server, real_image):
    found = run_operator(Webhook(url=server.url), real_image, dry_run=True)
    assert (found.effects, found.outputs, server.heard) == ((f"POST to {server.url}",), {}, [])


def test_too_much(server, real_image):
    node = Webhook(url=server.url, values=[f"m.v{n}" for n in range(20)])
    with pytest.raises(LoomError) as error:
        run_operator(node, real_image, upstream={"m": {f"v{n}": "x" * 60_000 for n in range(20)}})
    assert error.value.code == "OUTPUT_INVALID"


def test_in_runs(server, media_folder, tmp_path):
    tell = {"id": "tell", "operator": "sink.webhook", "config": {"url": server.url}}
    with loom_in(tmp_path / "loom") as loom:
        dry = carry_out(loom, media_folder, definition("tells", tell), dry_run=True)
        assert (dry.summary["would_write"]["effects"], server.heard) == ([f"POST to {server.url}"] * 9, [])
        server.deeds = [400]
        assert carry_out(loom, media_folder, definition("tells", tell)).nodes("tell") == {"computed": 8, "failed": 1}
        assert carry_out(loom, media_folder, definition("tells", tell)).nodes("tell")["computed"] == 1
        assert len({headers["webhook-id"] for headers, _ in server.heard}) == 9
        assert len(server.heard) == 10


def test_pauses_that_servers_ask_for():
    in_ten = format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)
    assert 0 < (pause_of(in_ten) or 0) <= 10
    assert [pause_of(text) for text in (None, "3", "1e9", "-3", "nan", "x")] == [None, 3.0, 30.0, 0.0, None, None]


def test_white_space_around_a_secret_does_not_count(monkeypatch):
    monkeypatch.setenv("HOOK_SECRET", " text\n")
    assert secret_of("HOOK_SECRET") == b"text"


@pytest.mark.parametrize(
    "options",
    [{}, {"url": "ftp://example.org/"}, {"url": "example.org"}, {"url": "http:///x"}, {"url": "http://u:p@example.org/"},
     {"url": "http://example.org:99999/"}, {"url": "http://example.org/#x"}, {"url": "http://a/", "secret_env": "A B"},
     {"url": "http://a/", "values": ["x"]}, {"url": "http://a/", "attempts": 0}],
)  # fmt: skip
def test_wrong_options_are_refused(options):
    with pytest.raises(ValidationError):
        Webhook(**options)
