"""What is known from its path to need no look: hidden, temporary and partial files, and what this program writes."""

from __future__ import annotations

import os
from collections.abc import Sequence

from cortex.sources.ignore import IGNORE_FILE, compile_patterns, is_litter
from cortex.sources.roots import is_at_or_below
from loom.errors import LoomError


class Sieve:
    """Passes over changes that no scan would look at. The scan decides: this only saves rounds for nothing.

    `hidden`: a scan looks at hidden files; it is taken for true until one has said otherwise.
    """

    def __init__(self, exclude: Sequence[str], own: Sequence[bytes]) -> None:
        """`exclude` are patterns as in `.gitignore`, `own` the folders in which this program keeps its data. Raises
        `USAGE` for a pattern that has no meaning."""
        self.hidden = True
        try:
            self._patterns = compile_patterns(exclude)
        except ValueError as error:
            raise LoomError("USAGE", f"a pattern cannot be understood: {error}") from error
        self._own = tuple(own)

    def is_own(self, path: bytes) -> bool:
        """Whether this program wrote it."""
        return any(is_at_or_below(path, folder) for folder in self._own)

    def leaves(self, root: bytes, path: bytes) -> bool:
        """Whether a change of `path`, which lies below `root`, means nothing."""
        if self.is_own(path):
            return True
        relative = path[len(root) :].lstrip(b"/")
        *folders, name = relative.split(b"/")
        if name != IGNORE_FILE:
            folders.append(name)
        if any(is_litter(one) or (one.startswith(b".") and not self.hidden) for one in folders):
            return True
        return bool(relative) and self._patterns.match_file(os.fsdecode(relative))
