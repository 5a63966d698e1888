"""Under which pipelines the roots of a watch were walked: with others, known files may have something left to do."""

from __future__ import annotations

from cortex.app import default_for, scheme_of
from cortex.engine.scheme import Chosen
from cortex.holding import Opened
from cortex.ingesting import choose
from cortex.request import Request
from cortex.watching.pending import Work


class Versions:
    """Digests as of `Scheme.settles`: they change with anything that could lead an asset elsewhere."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._walked: dict[bytes, bytes] = {}
        self._chosen: list[Chosen] = []
        self._now = b""

    def now(self, opened: Opened | None) -> bytes:
        """The digest of the pipelines that a round would use. Raises what would keep it from being done."""
        chosen = choose(self._request, opened.loom if opened is not None else None, default_for(opened))
        if chosen != self._chosen:
            self._now = scheme_of(chosen, dry_run=self._request.dry_run, note=lambda _: None).settles
            self._chosen = chosen
        return self._now

    def walked(self, work: Work, settles: bytes) -> None:
        """A round was carried out."""
        self._walked.update((root, settles) for root in work.roots if root not in work.changed)

    def outdated(self, settles: bytes) -> list[bytes]:
        """The roots that were walked whole under another digest than this."""
        return [root for root, walked in self._walked.items() if walked != settles]

    def forget(self, root: bytes) -> None:
        """It is not watched any more."""
        self._walked.pop(root, None)
