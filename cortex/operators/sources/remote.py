"""Assets that lie in object stores and on other machines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, model_validator

from cortex.node import NodeOptions
from cortex.operators.fields import Size
from cortex.operators.sources.local import NO_WISHES, FileSource, Pattern, ScanWishes
from loom.errors import LoomError
from loom.graph.specs import Requirement

if TYPE_CHECKING:
    from cortex.sources.found import ScanOptions
    from cortex.sources.lanes import LaneOptions
    from cortex.sources.remote.scan import Folders, RemoteScan
    from loom.verbs import Loom

_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<host>[^/?#]*)(?P<path>/[^?#]*)?")
_LOGINS = frozenset({"sftp", "ssh", "ftp", "ftps", "webdav", "webdavs", "dav", "davs", "smb"})
"""Schemes whose addresses may name a user."""
_ELSEWHERE = frozenset({"memory", "data", "simplecache", "filecache", "blockcache", "reference", "dir", "generic"})


def _is_address(url: str) -> str:
    match = _URL.fullmatch(url)
    if match is None or "::" in url or any(ord(sign) < 32 for sign in url):
        raise ValueError(f"{url!r} is not the address of a folder, such as sftp://host/photos, without `?` and `#`")
    user, at, _ = match["host"].rpartition("@")
    if at and (":" in user or match["scheme"] not in _LOGINS):
        raise ValueError("credentials have no place in a definition: use the environment, or a profile")
    if not match["host"] and match["scheme"] not in ("file", "local"):
        raise ValueError(f"{url!r} does not say which server or bucket")
    if match["scheme"] in _ELSEWHERE:
        raise ValueError(f"{match['scheme']}:// is no place where files lie")
    if {"..", ""} & set((match["path"] or "").rstrip("/").split("/")[1:]):
        raise ValueError("the address leads to a fixed place, without `..` and `//`")
    return url.rstrip("/")


def _is_bucket(url: str) -> str:
    if not url.startswith("s3://"):
        raise ValueError(f"{url!r} is not the address of a bucket, such as s3://bucket/photos")
    return url


def _is_endpoint(url: str) -> str:
    match = _URL.fullmatch(url)
    if match is None or match["scheme"] not in ("http", "https") or not match["host"]:
        raise ValueError(f"{url!r} is not the address of a server, such as https://s3.example.org")
    if "@" in match["host"]:
        raise ValueError("credentials have no place in a definition: use the environment, or a profile")
    return url


Address = Annotated[str, AfterValidator(_is_address)]


class RemoteOptions(NodeOptions):
    url: Address = Field(max_length=1000, description="The folder, such as `sftp://host/photos`; without a password.")
    include: tuple[Pattern, ...] = Field((), description="Only files that match one of these patterns; empty: all.")
    exclude: tuple[Pattern, ...] = Field((), description="No files and folders that match one of these patterns.")
    hidden: bool = Field(False, description="Also files and folders whose names begin with a dot.")
    min_size: Size | None = Field(None, description="No files of fewer bytes, as a number or such as `10kB`.")
    max_size: Size | None = Field(None, description="No files of more bytes.")


class S3Options(RemoteOptions):
    url: Annotated[Address, AfterValidator(_is_bucket)] = Field(
        max_length=1000, description="The bucket, and a folder in it: `s3://bucket/photos`."
    )
    endpoint_url: Annotated[str, AfterValidator(_is_endpoint)] | None = Field(
        None, max_length=1000, description="The server, where it is not Amazon's: `https://s3.example.org`."
    )
    region: str | None = Field(None, max_length=50, pattern=r"^[a-z0-9-]+$", description="The region of the bucket.")
    profile: str | None = Field(
        None,
        max_length=100,
        pattern=r"^[\w.@+-]+$",
        description="The profile of the machine's AWS configuration whose credentials are used, by name.",
    )
    anonymous: bool = Field(False, description="Without credentials, for buckets that everybody may read.")

    @model_validator(mode="after")
    def _is_one_of_two(self) -> S3Options:
        if self.anonymous and self.profile is not None:
            raise ValueError("`anonymous` is without credentials: leave out `profile`")
        return self


O = TypeVar("O", bound=RemoteOptions)  # noqa: E741


class RemoteSource(FileSource[O]):
    """A source whose files lie in a store."""

    def store_options(self) -> dict[str, Any]:
        """For the file system that fsspec makes."""
        return {}

    def scan_options(self, wishes: ScanWishes) -> ScanOptions:
        own, wished = self.options, super().scan_options(wishes)
        return replace(
            wished,
            includes=((own.include, *wished.includes) if own.include else wished.includes),
            exclude=own.exclude + wished.exclude,
            hidden=own.hidden or wished.hidden,
            min_size=own.min_size,
            max_size=own.max_size,
        )

    def open_scan(
        self,
        roots: Sequence[bytes],
        *,
        loom: Loom | None,
        host: str,
        plan: bytes,
        listed: Iterable[bytes] = (),
        wishes: ScanWishes = NO_WISHES,
        lanes: Sequence[LaneOptions] = (),
    ) -> RemoteScan:
        """A scan of the store, or of the files in it that are `listed`. Raises `USAGE` for paths, which are
        elsewhere."""
        from cortex.sources.remote.scan import RemoteScan

        if roots:
            raise LoomError("USAGE", f"this pipeline takes its files from {self.options.url}: leave out the paths")
        return RemoteScan(
            self._store,
            os.fsencode(self.options.url),
            self.scan_options(wishes),
            ledger=loom,
            host=host,
            plan=plan,
            listed=None if isinstance(listed, Sequence) and not listed else listed,
            lanes=lanes,
            watched=wishes.watched,
        )

    def _store(self) -> Folders:
        from cortex.sources.remote.stores import open_store

        return open_store(self.options.url, self.store_options())


class S3Source(RemoteSource[S3Options]):
    """The files in a bucket of S3, or in a folder of it.

    `{url: "s3://archive/photos", exclude: ["*.tmp"]}` is an example; paths are not given to `cortex ingest`. Servers
    other than Amazon's are named by `endpoint_url` or `AWS_ENDPOINT_URL`. Credentials come from the environment
    (`AWS_ACCESS_KEY_ID`, …), the machine's AWS configuration or a `profile` of it, and never from a definition.
    Patterns are written as in `.gitignore`, against the key below the folder.

    A file that is as Loom knows it by key, etag and size is passed over without being read. The others are brought to
    the scratch folder of this machine, a few at a time, and go from there once they are worked on. What is not in the
    bucket any more counts as deleted, when all of it could be listed and something was found. Keys with an empty name
    among their folders (`a//b`) are passed over.

    Needs the extra `s3`. A bucket that cannot be listed, or is not there, is `SOURCE_UNREACHABLE`; a file that
    is refused `FILE_UNREADABLE`, one that cannot be read after four attempts `READ_FAILED`, one that is another each
    time `CHANGED_WHILE_READ`; `REQUIREMENT_MISSING` without the packages.
    """

    operator = "source.s3"
    requires = (
        Requirement(kind="package", name="fsspec", extra="s3"),
        Requirement(kind="package", name="s3fs", extra="s3"),
    )

    def store_options(self) -> dict[str, Any]:
        from cortex.sources.remote.fsspec import CONNECT_S, READ_S

        own = self.options
        patience = {"connect_timeout": CONNECT_S, "read_timeout": READ_S, "retries": {"max_attempts": 2}}
        options: dict[str, Any] = {"anon": own.anonymous, "config_kwargs": patience}
        if own.endpoint_url is not None:
            options["endpoint_url"] = own.endpoint_url
        if own.region is not None:
            options["client_kwargs"] = {"region_name": own.region}
        if own.profile is not None:
            options["profile"] = own.profile
        return options


class FsspecSource(RemoteSource[RemoteOptions]):
    """The files in a folder of another machine: SFTP, FTP, WebDAV, a web server that lists it, and what fsspec knows.

    `{url: "sftp://anna@archive.example.org/photos"}`, `ftps://…`, `webdavs://…` and `https://…` are examples; paths are
    written as they are, without percent-encoding. It is as `source.s3`; whether a file has changed is told by its etag,
    or else by size and time, and a file of which a store tells neither is read each time. A connection that breaks goes
    on where it broke, where the server can do that and the file is still the same.

    `sftp` finds keys, agent and known hosts as `ssh` does; a server whose key is not known is not asked. Passwords come
    from the netrc file of the machine (`~/.netrc`, or what NETRC names), by host and user; those of other protocols
    that fsspec knows from its own settings. An address that holds a password is refused.

    Symbolic links are passed over where the server shows them (SFTP), and so are names that a protocol cannot ask for:
    with a line break by FTP, with a slash by WebDAV. Sizes of files of a web server, and of an FTP server without MLSD,
    are not known before they are asked for, and count as 0 for `min_size` and `max_size`.

    Needs the extra `remote`, and for protocols that are not named here a package more, which fsspec names. Fails as
    `source.s3` does: `SOURCE_UNREACHABLE` (also for a login that is refused), `FILE_UNREADABLE`, `READ_FAILED`,
    `CHANGED_WHILE_READ` and `REQUIREMENT_MISSING`; `CONFIG_INVALID` for a netrc file that cannot be read.
    """

    operator = "source.fsspec"
    requires = (
        Requirement(kind="package", name="fsspec", extra="remote"),
        Requirement(kind="package", name="asyncssh", extra="remote", optional=True),
    )
