"""Host and Origin headers: read strictly, compared whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,254})(?::([0-9]{1,5}))?")
_ORIGIN = re.compile(r"(https?)://(.+)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Authority(NamedTuple):
    """A host in lower case without a trailing dot (IPv6 in brackets, shortest form) and the port that was given."""

    host: str
    port: int | None


class Origin(NamedTuple):
    scheme: str
    host: str
    port: int


def parse_authority(text: str) -> Authority | None:
    """None for what is not `host` or `host:port`."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return None
    host, port = match[1].lower(), None if match[2] is None else int(match[2])
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1]).compressed}]"
        except AddressValueError:
            return None
    else:
        host = host.removesuffix(".")
    return Authority(host, port) if host and (port is None or 0 < port <= 65535) else None


def parse_origin(text: str) -> Origin | None:
    """None for `null` and for what is not `scheme://host` or `scheme://host:port` of the web."""
    match = _ORIGIN.fullmatch(text)
    authority = parse_authority(match[2]) if match else None
    if match is None or authority is None:
        return None
    return own_origin(match[1].lower(), authority)


def own_origin(scheme: str, authority: Authority) -> Origin:
    """The origin of a page that this server gives under this address; `scheme` is `http` or `https`."""
    return Origin(scheme, authority.host, authority.port or _DEFAULT_PORTS[scheme])


class AllowedHosts:
    """Names that this server answers to, such as `localhost` or `[::1]`; with a port only that port is meant. Raises
    `ValueError` for what is not a name."""

    def __init__(self, names: Iterable[str]) -> None:
        self._allowed = {self._parse(name) for name in names}

    def __contains__(self, authority: Authority) -> bool:
        return authority in self._allowed or authority._replace(port=None) in self._allowed

    @staticmethod
    def _parse(name: str) -> Authority:
        bare_ipv6 = name.count(":") > 1 and not name.startswith("[")
        authority = parse_authority(f"[{name}]" if bare_ipv6 else name)
        if authority is None:
            raise ValueError(f"{name!r} is not the name of a host")
        return authority
