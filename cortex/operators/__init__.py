"""The operators that come with the product, each imported when it is first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cortex.operators.films.scenes import Scenes
    from cortex.operators.films.video_quality import VideoQuality
    from cortex.operators.filters.dates import DateFilter
    from cortex.operators.filters.duplicates import DuplicateFilter
    from cortex.operators.filters.expression import ExpressionFilter
    from cortex.operators.filters.kinds import MediaFilter, MimeFilter, SizeFilter
    from cortex.operators.filters.paths import PathFilter
    from cortex.operators.filters.samples import SampleFilter
    from cortex.operators.filters.values import QualityFilter, TagFilter
    from cortex.operators.identity.chunking import ChunkHash
    from cortex.operators.identity.hashing import Blake3, Md5, Sha256, Sha512
    from cortex.operators.metadata.metadata import Metadata
    from cortex.operators.pictures.dominant_color import DominantColor
    from cortex.operators.pictures.image_edit import ImageEdit
    from cortex.operators.pictures.image_quality import ImageQuality
    from cortex.operators.pictures.thumbnails import Thumbnail
    from cortex.operators.pictures.watermark import Watermark
    from cortex.operators.similarity.dedup import ExactDuplicates, SimilarDuplicates
    from cortex.operators.similarity.phash import PerceptualHash
    from cortex.operators.similarity.video_fingerprint import VideoFingerprint
    from cortex.operators.sinks.copying import Copy
    from cortex.operators.sinks.moving import Move
    from cortex.operators.sinks.sidecar import Sidecar
    from cortex.operators.sinks.stored import Collect, LoomSink
    from cortex.operators.sinks.tagging import Tag
    from cortex.operators.sinks.webhook import Webhook
    from cortex.operators.sinks.xattrs import Xattr
    from cortex.operators.sound.loudness import Loudness
    from cortex.operators.sound.waveform import Waveform
    from cortex.operators.sources.local import FilesystemSource, LoomSource

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
    "Blake3": "identity.hashing",
    "ChunkHash": "identity.chunking",
    "Collect": "sinks.stored",
    "Copy": "sinks.copying",
    "DateFilter": "filters.dates",
    "DominantColor": "pictures.dominant_color",
    "DuplicateFilter": "filters.duplicates",
    "ExactDuplicates": "similarity.dedup",
    "ExpressionFilter": "filters.expression",
    "FilesystemSource": "sources.local",
    "ImageEdit": "pictures.image_edit",
    "ImageQuality": "pictures.image_quality",
    "LoomSink": "sinks.stored",
    "LoomSource": "sources.local",
    "Loudness": "sound.loudness",
    "Md5": "identity.hashing",
    "MediaFilter": "filters.kinds",
    "Metadata": "metadata.metadata",
    "MimeFilter": "filters.kinds",
    "Move": "sinks.moving",
    "PathFilter": "filters.paths",
    "PerceptualHash": "similarity.phash",
    "QualityFilter": "filters.values",
    "SampleFilter": "filters.samples",
    "Scenes": "films.scenes",
    "Sha256": "identity.hashing",
    "Sha512": "identity.hashing",
    "Sidecar": "sinks.sidecar",
    "SimilarDuplicates": "similarity.dedup",
    "SizeFilter": "filters.kinds",
    "Tag": "sinks.tagging",
    "TagFilter": "filters.values",
    "Thumbnail": "pictures.thumbnails",
    "VideoFingerprint": "similarity.video_fingerprint",
    "VideoQuality": "films.video_quality",
    "Watermark": "pictures.watermark",
    "Waveform": "sound.waveform",
    "Webhook": "sinks.webhook",
    "Xattr": "sinks.xattrs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
