"""Which store an address leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cortex.sources.remote.scan import Folders


def open_store(url: str, options: Mapping[str, Any]) -> Folders:
    """`options` are for fsspec, which has the schemes that are not spoken here. Raises `REQUIREMENT_MISSING`,
    `SOURCE_UNREACHABLE`, and `CONFIG_INVALID` for a netrc file that cannot be read."""
    scheme = url.partition(":")[0]
    if scheme in ("sftp", "ssh"):
        from cortex.sources.remote.sftp import SftpStore

        return SftpStore(url)
    if scheme in ("ftp", "ftps"):
        from cortex.sources.remote.ftp import FtpStore

        return FtpStore(url)
    if scheme in ("webdav", "webdavs", "dav", "davs"):
        from cortex.sources.remote.dav import DavStore

        return DavStore(url)
    if scheme in ("http", "https"):
        from cortex.sources.remote.http import HttpStore

        return HttpStore(url)
    from cortex.sources.remote.fsspec import FsspecStore

    return FsspecStore(url, options)
