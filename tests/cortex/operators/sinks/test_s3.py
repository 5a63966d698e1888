"""`sink.s3` against a store in memory, and against a server that speaks S3."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from pydantic import ValidationError

from cortex.operators.sinks import uploading
from cortex.operators.sinks.s3 import Upload
from cortex.testing import OperatorRun, derived, run_operator
from loom.errors import LoomError

METADATA = {"metadata": {"captured_at": "2024-05-17T14:03:21+02:00"}}


@pytest.fixture
def memory() -> Iterator[Any]:
    store = fsspec.filesystem("memory")
    yield store
    store.store.clear()
    store.pseudo_dirs[:] = [""]


def uploaded(path: Path, *, dry_run: bool = False, **options: Any) -> OperatorRun:
    node = Upload(**{"to": "memory://archive", **options})
    return run_operator(node, path, upstream=METADATA, dry_run=dry_run)


def failure(path: Path, **options: Any) -> LoomError:
    with pytest.raises(LoomError) as caught:
        uploaded(path, **options)
    return caught.value


def test_a_file_under_a_name_made_of_what_is_known(memory: Any, real_image: Path, real_video: Path) -> None:
    for path in (real_image, real_video):
        found = uploaded(path, template="{captured_at:%Y/%m}/{blake3:8}{suffix}")
        assert found.outputs["uploaded"] is True
        assert found.outputs["url"].startswith("memory://archive/2024/05/")
        assert memory.cat_file(found.outputs["url"]) == path.read_bytes()


def test_a_second_time_it_lies_there_already(memory: Any, real_image: Path) -> None:
    first = uploaded(real_image)
    again = uploaded(real_image)
    assert again.outputs == {"uploaded": False, "url": first.outputs["url"]}


def test_another_content_is_left_alone(memory: Any, real_image: Path) -> None:
    other = real_image.read_bytes()[::-1]
    memory.pipe_file(f"/archive/{real_image.name}", other)
    error = failure(real_image)
    assert (error.code, "is taken by another content" in error.message) == ("EFFECT_FAILED", True)
    assert uploaded(real_image, conflict="skip").outputs == {"uploaded": False}
    assert memory.cat_file(f"/archive/{real_image.name}") == other


def test_a_derived_file_in_place_of_the_file(memory: Any, real_image: Path) -> None:
    node = Upload(to="memory://archive", artifact="thumbnail.thumbnail", template="{blake3:8}.jpg")
    assert node.named_nodes() == ("thumbnail",)
    assert run_operator(node, real_image).outputs == {}, "there is none"
    files = {"thumbnail": {"thumbnail": (b"a small picture", "image/jpeg")}}
    would = run_operator(node, real_image, upstream_artifacts=files, dry_run=True)
    url = would.effects[0].rpartition(" ")[2]
    assert (would.effects, memory.find("/")) == ((f"upload thumbnail.thumbnail of {real_image} to {url}",), [])
    for uploaded in (True, False):
        done = run_operator(node, real_image, upstream_artifacts=files)
        assert done.outputs == {"uploaded": uploaded, "url": url}
    assert memory.cat_file(url) == b"a small picture"


def test_a_derived_file_that_came_in(memory: Any, real_image: Path) -> None:
    node = Upload(to="memory://archive", template="{stem}-{file}{suffix}")
    done = run_operator(node, real_image, item=derived(b"a small picture", "image/webp", "small"))
    url = f"memory://archive/{real_image.stem}-small.webp"
    assert (done.outputs, done.effects) == ({"uploaded": True, "url": url}, (f"upload small of {real_image} to {url}",))
    assert memory.cat_file(url) == b"a small picture"


def test_a_dry_run_says_what_it_would_do(memory: Any, real_image: Path) -> None:
    found = uploaded(real_image, dry_run=True)
    assert found.effects == (f"upload {real_image} to memory://archive/{real_image.name}",)
    assert memory.find("/") == []


def test_a_file_that_is_another_by_now(memory: Any, tmp_path: Path, real_image: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(real_image.read_bytes())
    node = Upload(to="memory://archive")
    node.open()
    from cortex.engine.beside import AssetFacts, AssetName
    from cortex.node import NodeContext
    from loom.model import Kind

    facts = AssetFacts(str(path), path.stat().st_size, "image/jpeg", Kind.IMAGE, AssetName(bytes(32)), str(path))
    context = NodeContext("up", {}, perform=lambda _, do: do())
    with pytest.raises(LoomError) as caught:
        node.compute(context, facts)  # type: ignore[arg-type]
    assert caught.value.code == "CHANGED_WHILE_READ"
    assert memory.find("/") == []


def test_it_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "_FIRST_PAUSE_S", 0.0)
    tries = []

    def work() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionResetError("reset by peer")
        return "done"

    assert uploading.trying("uploading", 3, work) == "done"
    tries.clear()
    with pytest.raises(LoomError, match="ConnectionResetError: reset by peer, attempt 2"):
        uploading.trying("uploading", 2, work)
    with pytest.raises(LoomError, match="attempt 1"):
        uploading.trying("uploading", 3, lambda: os.stat("/nowhere/at/all"))


@pytest.mark.parametrize(
    "to",
    ["s3://key:secret@bucket/a", "s3://key@bucket", "file:///tmp/a", "/tmp/a", "s3://", "s3://bucket/../a",
     "https://example.org/a", "simplecache::s3://a/b", "s3://bucket/a?X-Amz-Signature=1"],
)  # fmt: skip
def test_addresses_that_are_refused(to: str) -> None:
    with pytest.raises(ValidationError):
        Upload(to=to)


def test_a_store_that_nobody_knows(real_image: Path) -> None:
    assert failure(real_image, to="nowhere://bucket").code == "REQUIREMENT_MISSING"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a server that speaks S3, with a bucket `archive`."""
    pytest.importorskip("moto", reason="the server needs: pip install 'moto[s3]' flask flask-cors")
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="archive")
    yield client
    client.close()
    server.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::DeprecationWarning")
def test_a_server_that_speaks_s3(bucket: Any, tmp_path: Path, real_image: Path) -> None:
    found = uploaded(real_image, to="s3://archive/photos")
    assert found.outputs == {"uploaded": True, "url": f"s3://archive/photos/{real_image.name}"}
    told = bucket.head_object(Bucket="archive", Key=f"photos/{real_image.name}")
    assert told["ETag"].strip('"') == hashlib.md5(real_image.read_bytes()).hexdigest()
    assert told["ContentType"] == "image/jpeg"
    assert uploaded(real_image, to="s3://archive/photos").outputs["uploaded"] is False

    large = tmp_path / "large.bin"
    large.write_bytes(os.urandom(60 << 20))
    assert uploaded(large, to="s3://archive/parts").outputs["uploaded"] is True
    bucket.put_object(Bucket="archive", Key="parts/large.bin", Body=b"another")
    assert failure(large, to="s3://archive/parts").code == "EFFECT_FAILED"
    error = failure(real_image, to="s3://nowhere/photos")
    assert (error.code, "attempt 1" in error.message) == ("EFFECT_FAILED", True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning", "ignore::DeprecationWarning")
def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch, real_image: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert failure(real_image, to="s3://archive", attempts=1).code == "EFFECT_FAILED"
