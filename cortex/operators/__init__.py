"""The operators that come with the product, each imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cortex.operators.chunking import ChunkHash
    from cortex.operators.expression import ExpressionFilter
    from cortex.operators.filters import MediaFilter
    from cortex.operators.hashing import Blake3, Md5, Sha256, Sha512
    from cortex.operators.metadata import Metadata
    from cortex.operators.sinks import Collect, LoomSink
    from cortex.operators.sources import FilesystemSource, LoomSource
    from cortex.operators.thumbnails import Thumbnail

__all__ = [
    "Blake3",
    "ChunkHash",
    "Collect",
    "ExpressionFilter",
    "FilesystemSource",
    "LoomSink",
    "LoomSource",
    "Md5",
    "MediaFilter",
    "Metadata",
    "Sha256",
    "Sha512",
    "Thumbnail",
]

_HOMES = {
    "Blake3": "hashing",
    "ChunkHash": "chunking",
    "Collect": "sinks",
    "ExpressionFilter": "expression",
    "FilesystemSource": "sources",
    "LoomSink": "sinks",
    "LoomSource": "sources",
    "Md5": "hashing",
    "MediaFilter": "filters",
    "Metadata": "metadata",
    "Sha256": "hashing",
    "Sha512": "hashing",
    "Thumbnail": "thumbnails",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
