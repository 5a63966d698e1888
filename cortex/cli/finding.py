"""The asset that somebody means on the command line."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from loom.shapes import AssetShape
    from loom.verbs import Loom


def find_asset(loom: Loom, what: str) -> AssetShape:
    """The asset of a path, a UUID or a hash in hexadecimal. Raises `NOT_FOUND`."""
    from cortex.sources.roots import absolute
    from loom.errors import LoomError

    with suppress(ValueError):
        if len(what) == 36:
            return loom.asset(UUID(what))
    algorithms = {32: ("md5",), 64: ("blake3", "sha256"), 128: ("sha512",)}
    with suppress(ValueError):
        digest = bytes.fromhex(what)
        for algorithm in algorithms.get(len(what), ()):
            with suppress(LoomError):
                return loom.asset_by_hash(algorithm, digest)
    if len(what) in algorithms and not os.path.exists(what):  # noqa: PTH110 - `Path.exists` raises for odd names
        raise LoomError("NOT_FOUND", f"no asset has the hash {what}")
    path = os.fsencode(what)
    return loom.asset_by_path(platform.node(), path if "://" in what else absolute(path))
