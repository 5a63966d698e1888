"""What a file is: its type by content, opened once, decoded once, at the smallest size that serves."""

from cortex.media.media import Asset, Media

__all__ = ["Asset", "Media"]
