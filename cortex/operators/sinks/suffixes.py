"""The suffixes under which files of a media type are known."""

from __future__ import annotations

_SUFFIXES = {
    "application/json": ".json",
    "application/pdf": ".pdf",
    "application/x-ndjson": ".ndjson",
    "application/x-subrip": ".srt",
    "audio/aac": ".aac",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "image/avif": ".avif",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "text/html": ".html",
    "text/plain": ".txt",
    "text/vtt": ".vtt",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-matroska": ".mkv",
}


def suffix_of(media_type: str) -> str:
    """With its dot; empty for a type that has none here."""
    return _SUFFIXES.get(media_type.partition(";")[0].strip().lower(), "")
