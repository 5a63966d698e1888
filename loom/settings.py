"""Loom's settings, and the files that ship with the product."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loom import layers
from loom.errors import LoomError
from loom.layers import Place, setting

DEFAULT_PIPELINE = "ingest"
"""The shipped pipeline that a new Loom stores; the others are examples."""


def _database_url(place: Place) -> str:
    return f"sqlite:///{place.values['data_dir']}/loom.db"


@dataclass(frozen=True, kw_only=True)
class LoomSettings:
    """`origins` says for each setting where its value came from."""

    data_dir: Path = setting(  # noqa: RUF009
        "LOOM_DATA_DIR", layers.folder, of=lambda place: layers.data_folder(place.environ) / "loom"
    )
    database_url: str = setting("LOOM_DATABASE_URL", layers.text, of=_database_url, shown=layers.without_password)
    host: str = setting("LOOM_HOST", layers.text, "127.0.0.1")
    port: int = setting("LOOM_PORT", layers.whole(0, 65535), 8092)
    allowed_hosts: tuple[str, ...] = setting("LOOM_ALLOWED_HOSTS", layers.names, ("localhost", "127.0.0.1", "[::1]"))
    keep_runs_days: int = setting("LOOM_KEEP_RUNS_DAYS", layers.whole(0, 36500), 0)
    token: str | None = setting("LOOM_TOKEN", layers.text, shown=layers.masked)
    origins: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, cwd: Path | None = None
    ) -> LoomSettings:
        """Flags by setting name over variables over `loom.toml` over defaults. Raises `CONFIG_INVALID`."""
        return layers.load(cls, "loom.toml", flags, environ, cwd)


def shipped(name: str) -> str:
    """The text of a file of `config/`, such as `pipelines/ingest.yaml`. Raises `NOT_FOUND`."""
    folder = _config_folder()
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise LoomError("NOT_FOUND", f"no file {name!r} ships with this product")
    return path.read_text(encoding="utf-8")


def _config_folder() -> Path:
    package = Path(__file__).parent
    installed = package / "_config"
    return installed if installed.is_dir() else package.parent / "config"
