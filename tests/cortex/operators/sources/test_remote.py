from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from cortex.operators.sources.local import ScanWishes
from cortex.operators.sources.remote import FsspecSource, S3Source
from loom.errors import LoomError


@pytest.mark.parametrize(
    "options",
    [
        {"url": "s3://key:secret@bucket/a"},
        {"url": "s3://key@bucket/a"},
        {"url": "s3://bucket/a?versionId=1"},
        {"url": "s3://bucket/../a"},
        {"url": "s3://bucket//a"},
        {"url": "s3://"},
        {"url": "https://bucket/a"},
        {"url": "simplecache::s3://bucket/a"},
        {"url": "s3://bucket", "endpoint_url": "https://key:secret@host"},
        {"url": "s3://bucket", "endpoint_url": "file:///a"},
        {"url": "s3://bucket", "anonymous": True, "profile": "mine"},
        {"url": "s3://bucket", "secret": "s"},
        {"url": "s3://bucket", "include": ["[z-a]"]},
        {},
    ],
)
def test_buckets_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        S3Source(**options)


@pytest.mark.parametrize(
    "url", ["sftp://anna:secret@host/a", "webdavs://anna:secret@host/a", "https://token@host/a", "memory://a",
            "/media/a", "a", "sftp:///a", "dir::s3://b/a"]
)  # fmt: skip
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        FsspecSource(url=url)


@pytest.mark.parametrize("url", ["sftp://anna@host/photos/", "https://host:8080/photos", "file:///media/photos"])
def test_addresses_that_are_taken(url: str) -> None:
    assert FsspecSource(url=url).options.url == url.rstrip("/")


def test_what_the_store_is_opened_with() -> None:
    plain = S3Source(url="s3://bucket/a").store_options()
    assert plain.keys() == {"anon", "config_kwargs"}
    more = S3Source(url="s3://bucket", endpoint_url="https://host", region="eu-1", anonymous=True).store_options()
    assert (more["anon"], more["endpoint_url"], more["client_kwargs"]) == (
        True,
        "https://host",
        {"region_name": "eu-1"},
    )
    assert S3Source(url="s3://bucket", profile="mine").store_options()["profile"] == "mine"


def open_scan(source: Any, roots: list[bytes], **wishes: Any) -> Any:
    return source.open_scan(roots, loom=None, host="here", plan=b"p", wishes=ScanWishes(**wishes))


def test_paths_are_refused() -> None:
    source = S3Source(url="s3://bucket")
    with pytest.raises(LoomError, match="leave out the paths") as caught:
        open_scan(source, [b"/media"])
    assert caught.value.code == "USAGE"


def test_a_scheme_that_nobody_knows() -> None:
    with pytest.raises(LoomError) as caught:
        list(open_scan(FsspecSource(url="nowhere://host/a"), []))
    assert caught.value.code == "REQUIREMENT_MISSING"
