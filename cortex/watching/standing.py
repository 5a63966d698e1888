"""The Loom that a watch works with for days."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from cortex.holding import Opened, open_loom, serve, stand_by
from cortex.request import Request
from cortex.settings import CortexSettings


class StandingLoom:
    """Opened when it is needed first, and held: the embedded one, which other processes work with, or a server. One
    that another process on the same data folder holds is let go after each round, so that the other may end; so is one
    that a dry run looks at, which does not see what others write to it. None at all if that is the wish. A context
    manager."""

    def __init__(self, request: Request, note: Callable[[str], None]) -> None:
        self._request = request
        self._note = note
        self._stack = ExitStack()
        self._opened: Opened | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def open(self) -> Opened | None:
        """Raises as `open_loom` does, and `USAGE` for `--serve` where this process does not hold Loom."""
        request = self._request
        if self._opened is None and not request.offline:
            with ExitStack() as stack:
                opened = stack.enter_context(open_loom(request.loom_url, trace=not request.dry_run))
                if request.serve:
                    address = serve(stack, opened, host=request.host, port=request.port)
                    self._note(f"Loom is served at http://{address}")
                else:
                    stand_by(stack, opened)
                self._stack, self._opened = stack.pop_all(), opened
        return self._opened

    def rest(self) -> None:
        """A round is over."""
        if self._opened is not None and (self._opened.local is None or self._request.dry_run):
            settings = CortexSettings.load({"loom_url": self._request.loom_url})
            if settings.loom_url is None:
                self._close()

    def _close(self) -> None:
        self._opened = None
        self._stack.close()
