"""What the command line asks of an ingest."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Request(NamedTuple):
    """What the command line asks of an ingest. `places` are files to be visited in any case."""

    paths: tuple[Path, ...] = ()
    pipeline: str | None = None
    dry_run: bool = False
    recompute: frozenset[str] = frozenset()
    rehash: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    exclude_file: Path | None = None
    hidden: bool = False
    limit: int | None = None
    files_from: str | None = None
    jobs: int | None = None
    loom_url: str | None = None
    offline: bool = False
    serve: bool = False
    host: str | None = None
    port: int | None = None
    json: bool = False
    events: bool = False
    quiet: bool = False
    places: tuple[bytes, ...] = ()
