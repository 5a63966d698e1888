"""Folders of web servers, by the pages that list them."""

from __future__ import annotations

import sys

from cortex.sources.remote.files import Landing, Version
from cortex.sources.remote.fsspec import FsspecStore
from cortex.sources.remote.logins import login_for, server_of
from cortex.sources.remote.web import Web


class HttpStore(FsspecStore):
    """Names are as they stand in the links. A password comes from the netrc file."""

    def __init__(self, url: str) -> None:
        super().__init__(url, {})
        self._web = Web(sys.maxsize, login_for(server_of(url)))

    def look(self, url: bytes) -> Version:
        return self._web.look(url)

    def read(self, url: bytes, landing: Landing, version: Version) -> Version:
        return self._web.read(url, landing, version)

    def close(self) -> None:
        self._web.close()
