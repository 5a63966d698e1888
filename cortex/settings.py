"""Cortex's settings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loom import layers
from loom.layers import Place, setting

LEAST_MEMORY = 64 * 1024**2
"""Bytes with which a worker can still decode a common picture."""


UNFINISHED = (
    "*.part", "*.partial", "*.filepart", "*.crdownload", "*.opdownload", "*.download", "*.!qB", "*.aria2",
    "*.tmp", "*.temp", "*~", "~$*", ".~lock.*#", ".~*", "*.swp", "*.swx", "*.kate-swp", "*.sb-*",
    "~syncthing~*", ".syncthing.*", ".*.??????", ".nfs*", ".fuse_hidden*", ".goutputstream-*",
)  # fmt: skip
"""Names, as in `.gitignore`, of what browsers, copy programs and editors have not finished."""


_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")


def _cores(_: Place) -> int:
    """The cores this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limits_of(raw: Any, _: Path) -> dict[str, int]:
    """Whole numbers from 1 on by name: a table, where dotted names may be tables in tables, or a text such as
    `media.thumbnail=2, network=4`."""
    if isinstance(raw, str):
        raw = dict(_entry(part) for part in raw.split(",") if part.strip())
    if not isinstance(raw, dict):
        raise ValueError("must be a table of names with numbers")
    found: dict[str, int] = {}
    for name, number in _flat(raw):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of an operator, of a capability, or `jobs`")
        if isinstance(number, str) and number.isdecimal() and len(number) < 10:
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number < 2**31:
            raise ValueError(f"{name!r} must be a whole number from 1 on, not {number!r}")
        found[name] = number
    return found


def _entry(text: str) -> tuple[str, str]:
    name, equals, number = text.partition("=")
    if not equals:
        raise ValueError(f"{text.strip()!r} must be a name, an equals sign and a number")
    return name.strip(), number.strip()


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _limits_shown(limits: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={number}" for name, number in limits.items())


@dataclass(frozen=True, kw_only=True)
class CortexSettings:
    """`memory_limit`, `scratch_limit`, `spool_limit` and `disk_reserve` are bytes, `read_limit` bytes a second, 0 for
    none. `limits` says how many files may be at a time in the nodes of an operator, in those with a capability, or
    (`jobs`) in work at all. `origins` says for each setting where its value came from."""

    loom_url: str | None = setting("LOOM_URL", layers.text, shown=layers.without_password)
    loom_token: str | None = setting("LOOM_TOKEN", layers.text, shown=layers.masked)
    jobs: int = setting("CORTEX_JOBS", layers.whole(1, 1024), of=_cores)
    cache: str = setting("CORTEX_CACHE", layers.one_of("auto", "meta-path", "xattr", "none"), "auto")
    meta_path: Path = setting(  # noqa: RUF009
        "CORTEX_META_PATH", layers.folder, of=lambda place: layers.cache_folder(place.environ) / "cortex" / "meta"
    )
    scratch_path: Path = setting(  # noqa: RUF009
        "CORTEX_SCRATCH_PATH", layers.folder, of=lambda place: layers.cache_folder(place.environ) / "cortex" / "scratch"
    )
    scratch_limit: int = setting("CORTEX_SCRATCH_LIMIT", layers.size_from(1), 2 * 1024**3)
    spool_limit: int = setting("CORTEX_SPOOL_LIMIT", layers.size, 1024**3)
    memory_limit: int = setting("CORTEX_MEMORY_LIMIT", layers.size_from(LEAST_MEMORY), 1024**3)
    timeout_s: float = setting("CORTEX_TIMEOUT_S", layers.seconds, 60.0)
    niceness: int = setting("CORTEX_NICENESS", layers.whole(0, 19), 1)
    read_limit: int = setting("CORTEX_READ_LIMIT", layers.size, 0)
    disk_reserve: int = setting("CORTEX_DISK_RESERVE", layers.size, 0)
    limits: Mapping[str, int] = setting("CORTEX_LIMITS", limits_of, {}, shown=_limits_shown)
    programs: tuple[str, ...] = setting("CORTEX_PROGRAMS", layers.names, ())
    unfinished: tuple[str, ...] = setting("CORTEX_UNFINISHED", layers.names, UNFINISHED)
    origins: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(
        cls, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ, cwd: Path | None = None
    ) -> CortexSettings:
        """Flags by setting name over variables over `cortex.toml` over defaults. Raises `CONFIG_INVALID`."""
        return layers.load(cls, "cortex.toml", flags, environ, cwd)
