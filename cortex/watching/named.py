"""The store from which a pipeline takes its files, where it is watched by the name of the pipeline."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cortex.app import default_for, scheme_of
from cortex.ingesting import choose
from cortex.ingesting.files import source_of
from cortex.operators.sources.remote import RemoteSource
from cortex.request import Request
from loom.errors import LoomError

if TYPE_CHECKING:
    from cortex.engine.scheme import Chosen
    from cortex.holding import Opened


class NamedStore:
    """`address` is None where files are taken from paths."""

    def __init__(self, request: Request) -> None:
        self.address: bytes | None = None
        self._request = request
        self._chosen: list[Chosen] = []

    def look(self, opened: Opened | None) -> bool:
        """Looks at the pipeline that is named; whether it has another store than before. Raises `USAGE` for paths
        beside a store, and what keeps the pipeline from being used."""
        if self._request.pipeline is None:
            return False
        chosen = choose(self._request, opened.loom if opened is not None else None, default_for(opened))
        if chosen == self._chosen:
            return False
        scheme = scheme_of(chosen, dry_run=self._request.dry_run, note=lambda _: None)
        source, former = source_of(scheme.lanes[0]), self.address
        self.address = os.fsencode(source.options.url) if isinstance(source, RemoteSource) else None
        self._chosen = chosen
        if self.address is not None and (self._request.paths or self._request.sources):
            url = os.fsdecode(self.address)
            raise LoomError("USAGE", f"this pipeline takes its files from {url}: leave out the paths and sources")
        return self.address != former
