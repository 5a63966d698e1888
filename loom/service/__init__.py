"""The verbs in process."""

from loom.service.loom import LocalLoom
from loom.verbs import Loom

__all__ = ["LocalLoom"]

_satisfies: type[Loom] = LocalLoom
