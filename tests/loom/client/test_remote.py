import pickle
import socket
import threading

import pytest
from ledgers import COMPUTED, artifact, begin, definition, digest, done, found, report

from loom.client import LoomClient
from loom.client import ledger as client_ledger
from loom.client.problems import error_of
from loom.errors import LoomError
from loom.graph.diagnostics import DefinitionError
from loom.verbs import NewArtifact


def test_errors_are_those_that_they_were_there(client):
    with pytest.raises(DefinitionError) as refused:
        client.save_pipeline({**definition(), "match": {"kinds": ["smell"]}})
    assert refused.value.diagnostics[0].field.startswith("match.kinds")
    assert pickle.loads(pickle.dumps(refused.value)).diagnostics == refused.value.diagnostics
    with pytest.raises(LoomError) as missing:
        client.pipeline("a/b c")
    assert (missing.value.code, missing.value.retryable) == ("NOT_FOUND", False)
    client.save_pipeline(definition())
    with pytest.raises(LoomError) as stale:
        client.save_pipeline(definition(size=2), if_match="x" * 32)
    assert (stale.value.code, stale.value.retryable) == ("VERSION_CONFLICT", True)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (502, b"<html>bad gateway", "LOOM_UNREACHABLE"),
        (404, b"<html>", "INTERNAL"),
        (503, b'{"code": "DATABASE_BUSY", "detail": "busy"}', "DATABASE_BUSY"),
        (400, b'{"code": "OF_A_LATER_VERSION", "detail": "?"}', "INTERNAL"),
    ],
)
def test_answers_that_are_no_problems_of_ours(status, body, code):
    assert error_of(status, body).code == code


def test_a_server_that_is_not_there_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with LoomClient(f"http://127.0.0.1:{port}", "x") as client:
        for call in (client.workers, lambda: list(client.places("here")), lambda: next(iter(client.events()))):
            with pytest.raises(LoomError) as gone:
                call()
            assert (gone.value.code, gone.value.retryable, gone.value.exit_code) == ("LOOM_UNREACHABLE", True, 5)


def test_a_server_that_does_not_answer_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with LoomClient(url, "x", timeout=0.2) as client, pytest.raises(LoomError) as gone:
            client.workers()
    assert gone.value.code == "LOOM_UNREACHABLE"


@pytest.mark.parametrize("url", ["", "localhost:8092", "ftp://a", "http://", "http://a?token=x"])
def test_what_is_no_address(url):
    with pytest.raises(LoomError) as refused:
        LoomClient(url, "x")
    assert refused.value.code == "CONFIG_INVALID"


def test_on_loopback_the_token_file_is_read_when_it_is_there(server, tmp_path):
    path = tmp_path / "token"
    with LoomClient(server.url, token_file=path) as client:
        with pytest.raises(LoomError) as refused:
            client.workers()
        assert (refused.value.code, refused.value.exit_code) == ("UNAUTHORIZED", 5)
        path.write_text("open sesame\n")
        assert client.workers() == []
    assert LoomClient("http://loom.example", token_file=path)._address.headers() == {}


def test_a_wrong_token_is_told_on_the_bus_too(server):
    with LoomClient(server.url, "wrong") as client, pytest.raises(LoomError) as refused:
        next(iter(client.events()))
    assert refused.value.code == "UNAUTHORIZED"


def test_files_go_in_groups_of_bounded_size(client, monkeypatch):
    monkeypatch.setattr(client_ledger, "_MOST_BYTES", 100)
    sizes = (40, 40, 40, 0, 500, 1)
    new = [artifact(bytes([n]) * size)[0] for n, size in enumerate(sizes)]
    assert [len(group) for group in client_ledger._groups(new)] == [2, 2, 1, 1]
    client.put_artifacts(new)
    client.put_artifacts([])
    for one in new:
        assert client.artifact(one.digest) == ("image/webp", one.data)
    with pytest.raises(LoomError) as refused:
        client.put_artifacts([NewArtifact(digest("other"), "image/webp", b"x")])
    assert refused.value.code == "DIGEST_MISMATCH"


def test_reports_go_in_pieces_of_bounded_size(client, monkeypatch):
    monkeypatch.setattr(client_ledger, "_MOST_BYTES", 1000)
    run = begin(client)
    sizes = (600, 10, 10, 5000, 10)
    batch = [
        report(f"{n}", found(b"/d/%d" % n), results=[done(0, b'{"a":"%s"}' % (b"x" * size))], outcomes=[COMPUTED] * 2)
        for n, size in enumerate(sizes)
    ]
    said = []
    tell = client._http.tell
    monkeypatch.setattr(client._http, "tell", lambda path, body: (said.append(len(body["items"])), tell(path, body)))
    client.report(run, batch)
    assert said == [1, 1, 1, 1, 1]
    assert [len(client.asset_results(one.uuid)) for one in client.assets().items] == [1] * 5
    client.report(run, [])
    assert said[5:] == [0]


def test_gone_files_are_told_in_bounded_messages(client, monkeypatch):
    monkeypatch.setattr(client_ledger, "_MOST_FILES", 2)
    assert client.mark_missing("here", [(b"/data", bytes([65 + n])) for n in range(5)]) == 0


def test_many_threads_may_use_one_client(client):
    client.save_pipeline(definition())
    got = []
    threads = [threading.Thread(target=lambda: got.append(client.pipeline("photos").version)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [1] * 8


@pytest.mark.parametrize(
    "url", ["http://me:s3cret@127.0.0.1:{port}", "ftp://me:s3cret@host", "http://me:s3cret@host?x"]
)
def test_a_password_in_an_address_is_not_repeated(url):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(LoomError) as failed, LoomClient(url.format(port=nobody.getsockname()[1]), "t") as client:
            client.pipelines()
    assert failed.value.code in ("LOOM_UNREACHABLE", "CONFIG_INVALID")
    assert "s3cret" not in failed.value.message
    assert "me:***@" in failed.value.message
