"""The verbs over HTTP and WebSocket."""

from loom.client.remote import LoomClient

__all__ = ["LoomClient"]
