"""The operators that come with the product, each imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cortex.operators.chunking import ChunkHash
    from cortex.operators.copying import Copy
    from cortex.operators.dedup import ExactDuplicates, SimilarDuplicates
    from cortex.operators.dominant_color import DominantColor
    from cortex.operators.duplicates import DuplicateFilter
    from cortex.operators.expression import ExpressionFilter
    from cortex.operators.filters import MediaFilter, MimeFilter, SizeFilter
    from cortex.operators.filters_date import DateFilter
    from cortex.operators.filters_path import PathFilter
    from cortex.operators.filters_sample import SampleFilter
    from cortex.operators.filters_values import QualityFilter, TagFilter
    from cortex.operators.hashing import Blake3, Md5, Sha256, Sha512
    from cortex.operators.image_edit import ImageEdit
    from cortex.operators.image_quality import ImageQuality
    from cortex.operators.loudness import Loudness
    from cortex.operators.metadata import Metadata
    from cortex.operators.moving import Move
    from cortex.operators.phash import PerceptualHash
    from cortex.operators.scenes import Scenes
    from cortex.operators.sidecar import Sidecar
    from cortex.operators.sinks import Collect, LoomSink
    from cortex.operators.sources import FilesystemSource, LoomSource
    from cortex.operators.tagging import Tag
    from cortex.operators.thumbnails import Thumbnail
    from cortex.operators.video_fingerprint import VideoFingerprint
    from cortex.operators.video_quality import VideoQuality
    from cortex.operators.watermark import Watermark
    from cortex.operators.waveform import Waveform
    from cortex.operators.webhook import Webhook
    from cortex.operators.xattrs import Xattr

__all__ = [
    "Blake3",
    "ChunkHash",
    "Collect",
    "Copy",
    "DateFilter",
    "DominantColor",
    "DuplicateFilter",
    "ExactDuplicates",
    "ExpressionFilter",
    "FilesystemSource",
    "ImageEdit",
    "ImageQuality",
    "LoomSink",
    "LoomSource",
    "Loudness",
    "Md5",
    "MediaFilter",
    "Metadata",
    "MimeFilter",
    "Move",
    "PathFilter",
    "PerceptualHash",
    "QualityFilter",
    "SampleFilter",
    "Scenes",
    "Sha256",
    "Sha512",
    "Sidecar",
    "SimilarDuplicates",
    "SizeFilter",
    "Tag",
    "TagFilter",
    "Thumbnail",
    "VideoFingerprint",
    "VideoQuality",
    "Watermark",
    "Waveform",
    "Webhook",
    "Xattr",
]

_HOMES = {
    "Blake3": "hashing",
    "ChunkHash": "chunking",
    "Collect": "sinks",
    "Copy": "copying",
    "DateFilter": "filters_date",
    "DominantColor": "dominant_color",
    "DuplicateFilter": "duplicates",
    "ExactDuplicates": "dedup",
    "ExpressionFilter": "expression",
    "FilesystemSource": "sources",
    "ImageEdit": "image_edit",
    "ImageQuality": "image_quality",
    "LoomSink": "sinks",
    "LoomSource": "sources",
    "Loudness": "loudness",
    "Md5": "hashing",
    "MediaFilter": "filters",
    "Metadata": "metadata",
    "MimeFilter": "filters",
    "Move": "moving",
    "PathFilter": "filters_path",
    "PerceptualHash": "phash",
    "QualityFilter": "filters_values",
    "SampleFilter": "filters_sample",
    "Scenes": "scenes",
    "Sha256": "hashing",
    "Sha512": "hashing",
    "Sidecar": "sidecar",
    "SimilarDuplicates": "dedup",
    "SizeFilter": "filters",
    "Tag": "tagging",
    "TagFilter": "filters_values",
    "Thumbnail": "thumbnails",
    "VideoFingerprint": "video_fingerprint",
    "VideoQuality": "video_quality",
    "Watermark": "watermark",
    "Waveform": "waveform",
    "Webhook": "webhook",
    "Xattr": "xattrs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
