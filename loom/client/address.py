"""Where a Loom server is, and the token for it."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from loom.errors import LoomError
from loom.layers import without_password


class Address:
    """Raises `CONFIG_INVALID` for a URL that is none. On loopback the token is read from `token_file` when none is
    given; the file may appear later."""

    def __init__(self, url: str, token: str | None, token_file: Path | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            shown = without_password(url)
            raise LoomError(
                "CONFIG_INVALID", f"{shown!r} is not the address of a Loom server, such as http://host:8092."
            )
        self.url = url.rstrip("/")
        self.is_loopback = _is_loopback(parts.hostname)
        self.is_plain = self.is_loopback and parts.scheme == "http"
        """Nothing is encrypted, and no proxy stands between."""
        self._token = token
        self._token_file = token_file

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    @property
    def events(self) -> str:
        """The WebSocket's address."""
        return f"ws{self.api.removeprefix('http')}/pipelines/events/ws"

    def headers(self) -> dict[str, str]:
        if self._token is None and self.is_loopback and self._token_file is not None:
            try:
                self._token = self._token_file.read_text(encoding="utf-8").strip() or None
            except OSError:
                self._token = None
        return {} if self._token is None else {"Authorization": f"Bearer {self._token}"}

    def unreachable(self, error: Exception) -> LoomError:
        why = str(error) or type(error).__name__
        return LoomError("LOOM_UNREACHABLE", f"Loom at {without_password(self.url)} cannot be reached: {why}")


def _is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
