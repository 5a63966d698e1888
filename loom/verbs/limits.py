"""How much is done at a time."""

from __future__ import annotations

from typing import Protocol


class Limits(Protocol):
    """How many files an operator, or a resource, may have in hand at a time on each worker. A name is an operator's
    id, a capability (`network`, `gpu`, ...), or `jobs` for all worker processes together. Orders carry them, so that
    they hold for runs that are at work."""

    def limits(self) -> dict[str, int]: ...

    def set_limit(self, name: str, number: int | None) -> dict[str, int]:
        """At least 1; None lifts it. Returns those that are in force. Raises `REQUEST_INVALID`."""
        ...
